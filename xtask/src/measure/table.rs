//! The table of figures, as Markdown between two marks of the README.

use super::figures::{Figure, Target};

/// The lines between which the table stands.
const BEGIN: &str = "<!-- measure: begin (written by `cargo xtask measure`) -->";
const END: &str = "<!-- measure: end -->";
const HEAD: &str = "\
| name | figure | target | | what it is | command |
|---|---|---|---|---|---|
";

/// A figure with what came out.
pub(super) struct Row {
    name: &'static str,
    about: &'static str,
    target: Target,
    command: String,
    measured: Result<f64, String>,
}

impl Row {
    pub(super) fn new(figure: &Figure, measured: anyhow::Result<f64>) -> Self {
        Self {
            name: figure.name,
            about: figure.about,
            target: figure.target,
            command: figure.command(),
            measured: measured.map_err(|error| format!("{error:#}")),
        }
    }

    /// Measured, and as good as the target.
    pub(super) fn holds(&self) -> bool {
        match (&self.measured, self.target) {
            (Ok(value), Target::AtLeast(least, _)) => *value >= least,
            (Ok(value), Target::AtMost(most, _)) => *value <= most,
            (Err(_), _) => false,
        }
    }

    /// One line for the terminal.
    pub(super) fn for_people(&self) -> String {
        let (value, verdict) = (self.value(), self.verdict());
        let line = format!("{}: {value}, target {}: {verdict}", self.name, self.bound());
        match &self.measured {
            Ok(_) => line,
            Err(reason) => format!("{line} ({reason})"),
        }
    }

    fn markdown(&self) -> String {
        format!(
            "| {} | {} | {} | {} | {} | `{}` |\n",
            self.name,
            self.value(),
            self.bound(),
            self.verdict(),
            self.about,
            self.command
        )
    }

    fn value(&self) -> String {
        let (Target::AtLeast(_, unit) | Target::AtMost(_, unit)) = self.target;
        match &self.measured {
            Ok(value) => format!("{} {unit}", rounded(*value)),
            Err(_) => "not measured".to_owned(),
        }
    }

    fn bound(&self) -> String {
        match self.target {
            Target::AtLeast(least, unit) => format!("at least {} {unit}", rounded(least)),
            Target::AtMost(most, unit) => format!("at most {} {unit}", rounded(most)),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.measured {
            Ok(_) if self.holds() => "holds",
            Ok(_) => "MISSED",
            Err(_) => "",
        }
    }
}

/// The table with these rows.
pub(super) fn markdown(rows: &[Row], machine: &str) -> String {
    let rows: Vec<_> = rows.iter().map(Row::markdown).collect();
    render(&rows, machine)
}

/// `readme` with these rows in its table; `None` if it has no place for one. Rows of old stay if they
/// were measured on the same machine.
pub(super) fn updated(readme: &str, rows: &[Row], machine: &str) -> Option<String> {
    let (head, rest) = readme.split_once(BEGIN)?;
    let (old, tail) = rest.split_once(END)?;
    let same_machine = old.contains(&measured_on(machine));
    let mut lines: Vec<String> = old
        .lines()
        .filter(|line| same_machine && line.starts_with("| ") && !HEAD.contains(line))
        .map(|line| format!("{line}\n"))
        .collect();
    for row in rows {
        let start = format!("| {} |", row.name);
        match lines.iter_mut().find(|line| line.starts_with(&start)) {
            Some(line) => *line = row.markdown(),
            None => lines.push(row.markdown()),
        }
    }
    let table = render(&lines, machine);
    Some(format!("{head}{BEGIN}\n{table}{END}{tail}"))
}

fn render(rows: &[String], machine: &str) -> String {
    format!("{HEAD}{}\n{}\n", rows.concat(), measured_on(machine))
}

fn measured_on(machine: &str) -> String {
    format!("Measured on: {machine}.")
}

/// Three significant digits are more than any of these figures is worth.
fn rounded(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    match text.split_once('.') {
        Some((whole, rest)) if rest.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, target: Target, measured: Result<f64, String>) -> Row {
        Row {
            name,
            about: "a thing",
            target,
            command: "make it".to_owned(),
            measured,
        }
    }

    #[test]
    fn a_bound_holds_up_to_itself() {
        let at_most = Target::AtMost(10.0, "B");
        let at_least = Target::AtLeast(10.0, "B");
        assert!(row("a", at_most, Ok(10.0)).holds());
        assert!(!row("a", at_most, Ok(10.1)).holds());
        assert!(row("a", at_least, Ok(10.0)).holds());
        assert!(!row("a", at_least, Ok(9.9)).holds());
        assert!(!row("a", at_most, Err("no".to_owned())).holds());
    }

    #[test]
    fn the_table_replaces_what_was_measured_and_keeps_the_rest() {
        let target = Target::AtMost(10.0, "B");
        let empty = format!("top\n{BEGIN}\n{END}\nbottom\n");
        let both = [row("a", target, Ok(1.0)), row("b", target, Ok(2.0))];
        let first = updated(&empty, &both, "a Pi").unwrap();
        let second = updated(&first, &[row("a", target, Ok(33.333))], "a Pi").unwrap();
        assert!(second.starts_with("top\n") && second.ends_with("\nbottom\n"));
        assert!(second.contains("| a | 33.3 B | at most 10 B | MISSED |"));
        assert!(second.contains("| b | 2 B | at most 10 B | holds |"));
        assert_eq!(second.lines().count(), first.lines().count());
    }

    #[test]
    fn figures_of_two_machines_are_never_in_one_table() {
        let target = Target::AtMost(10.0, "B");
        let empty = format!("{BEGIN}\n{END}\n");
        let first = updated(&empty, &[row("a", target, Ok(1.0))], "a Pi").unwrap();
        let second = updated(&first, &[row("b", target, Ok(2.0))], "a mainframe").unwrap();
        assert!(second.contains("| b |") && second.contains("a mainframe"));
        assert!(!second.contains("| a |") && !second.contains("a Pi"));
    }

    #[test]
    fn a_readme_without_marks_is_left_alone() {
        assert!(updated("# Chappe\n", &[], "here").is_none());
    }

    #[test]
    fn figures_are_rounded_for_people() {
        let cases = [
            (0.0, "0"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (1200.4, "1200"),
            (5.0, "5"),
        ];
        for (value, text) in cases {
            assert_eq!(rounded(value), text);
        }
    }
}
