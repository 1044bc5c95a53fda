//! What the audience sees.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::control::protocol::{CarriedView, ContentView, EventView, IncomingView};
use crate::render::{Style, bytes, safe_line, say, styled};

/// Envelopes of one meeting that are shown one by one; the rest is counted.
const SHOWN_EACH: u64 = 4;
/// Characters of a name or text that are shown; the rest is the mark of this run.
const SHOWN_CHARS: usize = 60;

/// The audience's view: lines on standard output, a progress bar where there is a terminal.
pub(crate) struct Show {
    begun: Instant,
    bar: Option<ProgressBar>,
    taken: Counted,
}

#[derive(Default)]
struct Counted {
    envelopes: u64,
    bytes: u64,
    since: Option<Instant>,
}

impl Show {
    /// The curtain rises.
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            bar: None,
            taken: Counted::default(),
        }
    }

    /// How long it has been going on.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// A heading.
    pub(crate) fn act(&self, title: &str) {
        self.line("");
        self.line(&styled(Style::Bold, title));
    }

    /// A line with the time.
    pub(crate) fn say(&self, text: &str) {
        let time = format!("{:6.2} s", self.begun.elapsed().as_secs_f64());
        self.line(&format!("{}  {text}", styled(Style::Dim, &time)));
    }

    /// A line as it is.
    pub(crate) fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say!("{text}")),
            None => say!("{text}"),
        }
    }

    /// Begins to count what is handed over; `expected` bytes are to come, for the bar.
    pub(crate) fn begin_transfer(&mut self, expected: u64) {
        self.taken = Counted::default();
        let bar = ProgressBar::with_draw_target(Some(expected), ProgressDrawTarget::stderr());
        let template = "          {bar:30} {bytes} of {total_bytes}, {bytes_per_sec}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        self.bar = Some(bar);
    }

    /// Ends the counting with one line of sums.
    pub(crate) fn end_transfer(&mut self, from: &str, to: &str) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let Counted {
            envelopes,
            bytes: sum,
            since,
        } = std::mem::take(&mut self.taken);
        let took = since.map_or(0.0, |since| since.elapsed().as_secs_f64());
        self.say(&format!(
            "{from} -> {to}: {envelopes} envelopes, {}, in {took:.2} s",
            bytes(sum)
        ));
    }

    /// Something that a node told.
    pub(crate) fn event(&mut self, who: &str, event: &EventView) {
        match event {
            EventView::PeerUp(peer) if who == "relay" => {
                self.say(&format!(
                    "relay and {} are in range",
                    safe_line(&peer.label)
                ));
            }
            EventView::PeerDown { label, .. } if who == "relay" => {
                self.say(&format!("relay and {} are out of range", safe_line(label)));
            }
            EventView::Taken { id, size, .. } if self.bar.is_some() => self.taken(who, id, *size),
            EventView::Received(message) => {
                if let ContentView::Text(_) = message.content {
                    self.say(&format!("{who} reads: {}", content(message)));
                }
            }
            EventView::FileComplete(message) => {
                self.say(&format!("{who} has the whole file: {}", content(message)));
            }
            EventView::Sent(message) => self.say(&format!(
                "{who}'s message {} is {}",
                message.id,
                crate::commands::delivery(message)
            )),
            EventView::Undecryptable => self.say(&format!("{who} got something it cannot read")),
            EventView::StoreFailed { reason } => {
                self.say(&format!("{who}'s store failed: {reason}"))
            }
            EventView::Trouble { reason } => self.say(&format!("{who}'s radio: {reason}")),
            _ => {}
        }
    }

    /// One message of an inbox.
    pub(crate) fn message(&self, message: &IncomingView) {
        let trust = if message.verified {
            "verified"
        } else {
            "unverified"
        };
        let from = shortened(&message.from);
        self.line(&format!("          {from} ({trust}): {}", content(message)));
    }

    /// An envelope as the relay saw it.
    pub(crate) fn envelope(&self, envelope: &CarriedView) {
        let CarriedView {
            id,
            version,
            lifetime_hours,
            tag,
            commitment,
            size,
            ..
        } = envelope;
        self.line(&format!("          id          {id}"));
        self.line(&format!(
            "          version     {version:02x}, lifetime {lifetime_hours} h"
        ));
        self.line(&format!("          tag         {tag}"));
        self.line(&format!("          commitment  {commitment}"));
        let body = size.saturating_sub(chappe::wire::HEADER_LEN as u64);
        self.line(&format!("          body        {body} bytes, sealed"));
        self.line("");
    }

    fn taken(&mut self, who: &str, id: &str, size: u64) {
        let counted = &mut self.taken;
        counted.since.get_or_insert_with(Instant::now);
        counted.envelopes += 1;
        counted.bytes += size;
        let count = counted.envelopes;
        if let Some(bar) = &self.bar {
            bar.inc(size);
        }
        if count <= SHOWN_EACH {
            let short: String = id.chars().take(12).collect();
            self.say(&format!("{who} took {short}… ({size} bytes)"));
        } else if count == SHOWN_EACH + 1 {
            self.say(&format!("{who} takes more of the same"));
        }
    }
}

/// What a message says, on one line.
fn content(message: &IncomingView) -> String {
    match &message.content {
        ContentView::Text(text) => format!("\"{}\"", shortened(text)),
        ContentView::File {
            name,
            media_type,
            size,
            ..
        } => {
            let (name, media_type) = (safe_line(name), safe_line(media_type));
            format!("[{name}, {media_type}, {}]", bytes(*size))
        }
        ContentView::Locked => "[locked]".to_owned(),
        ContentView::Opaque { size } => format!("[{}]", bytes(*size)),
    }
}

fn shortened(text: &str) -> String {
    let clean = safe_line(text);
    let mut short: String = clean.chars().take(SHOWN_CHARS).collect();
    if short.len() < clean.len() {
        short.push('…');
    }
    short
}
