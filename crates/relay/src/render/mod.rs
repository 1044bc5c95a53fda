//! Output for people: plain and aligned, colours on a terminal only.

/// Prints a line on standard output. Nobody may be reading it: that must not end a node.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}
pub(crate) use say;

pub(crate) mod qr;
pub(crate) mod table;

use std::io::{IsTerminal as _, Write as _};

use crate::failure::{Failure, io};

/// Whether colours are wanted on standard output.
pub(crate) fn colours() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb
}

/// Prints a line on standard output.
///
/// # Errors
/// Nobody reads it any more.
pub(crate) fn put(line: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{line}").map_err(io("The output cannot be written"))
}

/// How a text is to look.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Bold,
    Dim,
    Good,
    Warn,
}

/// The text in this style, if colours are wanted.
pub(crate) fn styled(style: Style, text: &str) -> String {
    if !colours() {
        return text.to_owned();
    }
    let code = match style {
        Style::Bold => "1",
        Style::Dim => "2",
        Style::Good => "32",
        Style::Warn => "33",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// Text of others, safe for a terminal: control and bidirectional-override characters are replaced.
pub(crate) fn safe(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                '\u{fffd}'
            }
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// The same on one line.
pub(crate) fn safe_line(text: &str) -> String {
    safe(text).replace(['\n', '\t'], " ")
}

/// A number of bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    chappe::wire::ByteCount::new(count).to_string()
}

/// A span of time for people, in its largest unit.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_drive_the_terminal() {
        assert_eq!(safe("a\x1b[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb\nc\u{fffd}d");
        assert_eq!(safe_line("a\nb"), "a b");
    }
}
