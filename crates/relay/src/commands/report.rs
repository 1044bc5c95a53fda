//! `chappe status`, `peers`, `outbox` and `carried`

use super::{ask, print_json, unexpected};
use crate::cli::{Format, Place};
use crate::control::protocol::{Answer, OutgoingView, Request, StatusView};
use crate::failure::Failure;
use crate::render::table::Table;
use crate::render::{Style, bytes, safe_line, say, span, styled};

/// Counters and gauges.
pub(super) async fn status(place: &Place, format: &Format) -> Result<(), Failure> {
    let Answer::Status(status) = ask(place, Request::Status).await? else {
        return unexpected();
    };
    if format.json {
        return print_json(&status);
    }
    for line in status_lines(&status) {
        say!("{line}");
    }
    Ok(())
}

/// The neighbours.
pub(super) async fn peers(place: &Place, format: &Format) -> Result<(), Failure> {
    let Answer::Peers(peers) = ask(place, Request::Peers).await? else {
        return unexpected();
    };
    if format.json {
        return peers.iter().try_for_each(print_json);
    }
    if peers.is_empty() {
        say!("Nobody is in range.");
    }
    let mut table = Table::default();
    for peer in &peers {
        table.row([
            safe_line(&peer.label),
            peer.bearer.clone(),
            peer.key.clone(),
            format!("up {}", span(peer.up_seconds)),
            format!("{} out", bytes(peer.sent)),
            format!("{} in", bytes(peer.received)),
            peer.rtt_micros.map_or_else(String::new, |micros| {
                format!("{:.1} ms", micros as f64 / 1e3)
            }),
        ]);
    }
    table.print();
    Ok(())
}

/// What was sent.
pub(super) async fn outbox(place: &Place, format: &Format) -> Result<(), Failure> {
    let Answer::Outbox(sent) = ask(place, Request::Outbox).await? else {
        return unexpected();
    };
    if format.json {
        return sent.iter().try_for_each(print_json);
    }
    if sent.is_empty() {
        say!("Nothing was sent yet.");
    }
    let mut table = Table::default();
    for message in &sent {
        table.row([
            format!("{:>4}", message.id),
            safe_line(&message.to),
            format!("{} ago", span(message.age_seconds)),
            bytes(message.size),
            delivery(message),
            shortened(&safe_line(&message.summary)),
        ]);
    }
    table.print();
    Ok(())
}

/// Where a message is, in words.
pub(crate) fn delivery(message: &OutgoingView) -> String {
    match message.state.as_str() {
        "carried" => format!("carried by {}", message.carriers),
        state => state.to_owned(),
    }
}

/// The envelopes that this node carries.
pub(super) async fn carried(place: &Place, format: &Format) -> Result<(), Failure> {
    let Answer::Carried(envelopes) = ask(place, Request::Carried).await? else {
        return unexpected();
    };
    if format.json {
        return envelopes.iter().try_for_each(print_json);
    }
    if envelopes.is_empty() {
        say!("Nothing is carried.");
        return Ok(());
    }
    let mut table = Table::default();
    table.row(["id", "tag", "commitment", "size", "age", "lifetime", ""].map(str::to_owned));
    for envelope in &envelopes {
        table.row([
            envelope.id.chars().take(16).collect(),
            envelope.tag.clone(),
            envelope.commitment.clone(),
            bytes(envelope.size),
            span(envelope.age_seconds),
            span(envelope.lifetime_hours.saturating_mul(3_600)),
            if envelope.own {
                "own".to_owned()
            } else {
                String::new()
            },
        ]);
    }
    table.print();
    Ok(())
}

fn status_lines(status: &StatusView) -> Vec<String> {
    let mut table = Table::default();
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    if status.relay {
        row("role", "relay".to_owned());
        row("hop key", status.hop_key.clone().unwrap_or_default());
    } else {
        row("name", safe_line(&status.name));
        row("jid", safe_line(&status.jid));
        row("fingerprint", status.fingerprint.clone());
        row(
            "pending",
            format!("{} messages not yet delivered", status.pending),
        );
    }
    row("neighbours", status.peers.to_string());
    row(
        "carried",
        format!(
            "{} envelopes, {} of {}",
            status.envelopes,
            bytes(status.bytes),
            bytes(status.capacity)
        ),
    );
    row(
        "receipts",
        format!(
            "{} on their way, {} evicted, {} refused",
            status.receipts, status.receipts_evicted, status.receipts_refused
        ),
    );
    row(
        "taken",
        format!("{}, handed over {}", status.taken, status.handed_over),
    );
    row(
        "let go",
        format!(
            "{} freed by receipts, {} expired, {} evicted for room, {} withdrawn",
            status.freed, status.expired, status.evicted, status.withdrawn
        ),
    );
    row(
        "refused",
        format!(
            "{} for want of room, {} expired, {} known, {} with the store full",
            status.refused_no_room,
            status.refused_expired,
            status.refused_known,
            status.refused_store_full
        ),
    );
    if status.undecryptable > 0 {
        let text = format!(
            "{} messages for this node could not be read",
            status.undecryptable
        );
        row("trouble", styled(Style::Warn, &text));
    }
    if status.held_back > 0 {
        let text = format!(
            "{} times there was no room for a contact's message; `chappe inbox rm` makes some",
            status.held_back
        );
        row("held back", styled(Style::Warn, &text));
    }
    row("powered", span(status.powered_seconds));
    table.lines()
}

/// At most 40 characters.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
