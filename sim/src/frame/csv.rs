//! Tables as CSV: a line of names, then a line to a row (RFC 4180, with line feeds alone).

use std::fmt::Write as _;

use super::{Frame, Value};

impl Frame {
    /// As CSV. What is missing is empty; numbers are written so that they read back the same.
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        line(
            &mut text,
            self.columns().iter().map(|column| quoted(&column.name)),
        );
        for row in 0..self.rows() {
            let values = self.columns().iter().map(|column| match column.value(row) {
                Value::Flag(flag) => flag.to_string(),
                Value::Integer(number) => number.to_string(),
                Value::Missing => String::new(),
                Value::Real(number) => number.to_string(),
                Value::Text(text) => quoted(&text),
            });
            line(&mut text, values);
        }
        text
    }
}

fn line(text: &mut String, fields: impl Iterator<Item = String>) {
    for (place, field) in fields.enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{field}");
    }
    text.push('\n');
}

fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Frame, Kind, Value};

    #[test]
    fn what_would_break_a_line_is_quoted() {
        let mut frame = Frame::new([("a,b", Kind::Text), ("n", Kind::Real)]);
        frame.push([Value::text("say \"yes\"\nor no"), Value::from(0.1)]);
        frame.push([Value::text(""), Value::Missing]);
        assert_eq!(
            frame.to_csv(),
            "\"a,b\",n\n\"say \"\"yes\"\"\nor no\",0.1\n\"\",\n"
        );
    }
}
