//! The table of figures, as Markdown between two marks of the README.

use std::collections::BTreeMap;

use super::figures::{Figure, Target};

/// The lines between which the table stands.
const BEGIN: &str = "<!-- measure: begin (written by `cargo xtask measure`) -->";
const END: &str = "<!-- measure: end -->";
const HEAD: &str = "\
| name | figure | target | | what it is | command | machine |
|---|---|---|---|---|---|---|
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

    fn markdown(&self, letter: char) -> String {
        format!(
            "| {} | {} | {} | {} | {} | `{}` | {letter} |\n",
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

/// The table with these rows, all measured on `machine`.
pub(super) fn markdown(rows: &[Row], machine: &str) -> String {
    let mut machines = Machines::default();
    let letter = machines.letter(machine);
    let rows = rows.iter().map(|row| row.markdown(letter)).collect();
    render(rows, &machines)
}

/// `readme` with these rows, measured on `machine`, in its table; `None` if it has no place for one. The others
/// stay as they are: each row names the machine that it was measured on.
pub(super) fn updated(readme: &str, rows: &[Row], machine: &str) -> Option<String> {
    let (head, rest) = readme.split_once(BEGIN)?;
    let (old, tail) = rest.split_once(END)?;
    let mut machines = Machines::read(old);
    let letter = machines.letter(machine);
    let mut lines: Vec<String> = old
        .lines()
        .filter(|line| line.starts_with("| ") && !HEAD.contains(line))
        .map(|line| format!("{line}\n"))
        .collect();
    for row in rows {
        let start = format!("| {} |", row.name);
        match lines.iter_mut().find(|line| line.starts_with(&start)) {
            Some(line) => *line = row.markdown(letter),
            None => lines.push(row.markdown(letter)),
        }
    }
    let table = render(lines, &machines);
    Some(format!("{head}{BEGIN}\n{table}{END}{tail}"))
}

fn render(rows: Vec<String>, machines: &Machines) -> String {
    let used = |letter: char| {
        rows.iter()
            .any(|row| row.ends_with(&format!("| {letter} |\n")))
    };
    let legend: Vec<String> = machines
        .0
        .iter()
        .filter(|(letter, _)| used(**letter))
        .map(|(letter, machine)| format!("{}{letter}: {machine}\n", Machines::LINE))
        .collect();
    format!("{HEAD}{}\n{}", rows.concat(), legend.concat())
}

/// The machines of a table, each by the letter that stands in its rows.
#[derive(Default)]
struct Machines(BTreeMap<char, String>);

impl Machines {
    const LINE: &'static str = "- machine ";

    fn read(table: &str) -> Self {
        let legend = table.lines().filter_map(|line| {
            let (letter, machine) = line.strip_prefix(Self::LINE)?.split_once(": ")?;
            Some((letter.chars().next()?, machine.to_owned()))
        });
        Self(legend.collect())
    }

    /// The letter of `machine`; the next one that is free if it is new.
    fn letter(&mut self, machine: &str) -> char {
        let known = self.0.iter().find(|(_, known)| *known == machine);
        if let Some((letter, _)) = known {
            return *letter;
        }
        let free = ('A'..='Z').find(|letter| !self.0.contains_key(letter));
        let letter = free.unwrap_or('?');
        self.0.insert(letter, machine.to_owned());
        letter
    }
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
    fn each_row_names_its_machine() {
        let target = Target::AtMost(10.0, "B");
        let empty = format!("{BEGIN}\n{END}\n");
        let both = [row("a", target, Ok(1.0)), row("b", target, Ok(2.0))];
        let first = updated(&empty, &both, "a Pi").unwrap();
        let second = updated(&first, &[row("b", target, Ok(3.0))], "a mainframe").unwrap();
        assert!(second.contains("| a | 1 B |") && second.contains("`make it` | A |"));
        assert!(second.contains("| b | 3 B |") && second.contains("`make it` | B |"));
        assert!(second.contains("machine A: a Pi\n- machine B: a mainframe\n"));
        let third = updated(&second, &[row("a", target, Ok(4.0))], "a mainframe").unwrap();
        assert!(!third.contains("a Pi"), "no row is of it any more");
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
