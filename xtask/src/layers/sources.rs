//! What no file may hold: too many lines, `get_`, paths of somebody's machine.

use crate::tree::TextFile;

/// More lines than this and a file is two files.
const MAX_LINES: usize = 800;
/// Made by `cargo xtask codegen`.
const GENERATED: &str = "crates/wire/src/generated.rs";
/// Where people's own files are. A path into them means something on one machine only.
const HOMES: [&str; 4] = ["home", "root", "Users", "work"];

/// What is wrong with `file`.
pub(super) fn breaches(file: &TextFile) -> Vec<String> {
    let mut breaches = Vec::new();
    let rust = file.path.ends_with(".rs") && file.path != GENERATED;
    let lines = file.text.lines().count();
    if rust && lines > MAX_LINES {
        breaches.push(format!(
            "{}: {lines} lines, more than {MAX_LINES}",
            file.path
        ));
    }
    for (number, line) in (1..).zip(file.text.lines()) {
        if rust && has_getter(line) {
            breaches.push(format!(
                "{}:{number}: a function is named for what it gives, without `get_`",
                file.path
            ));
        }
        if let Some(home) = HOMES.iter().find(|home| has_path_into(line, home)) {
            breaches.push(format!(
                "{}:{number}: a path into /{home} means nothing on another machine",
                file.path
            ));
        }
    }
    breaches
}

fn has_getter(line: &str) -> bool {
    let line = line.trim_start();
    let public = line.starts_with("pub ") || line.starts_with("pub(");
    public && line.contains("fn get_")
}

/// Whether `line` holds an absolute path below `/home`; the end of a longer path or address is none.
fn has_path_into(line: &str, home: &str) -> bool {
    let start = format!("/{home}/");
    line.match_indices(&start).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line
            .get(at + start.len()..)
            .and_then(|after| after.chars().next());
        before.is_none_or(|c| c.is_whitespace() || "\"'`(=:[<,".contains(c))
            && after.is_some_and(|c| c.is_alphanumeric() || "._-".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        let file = TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        breaches(&file).len()
    }

    #[test]
    fn long_files_are_breaches_unless_generated() {
        let long = "\n".repeat(MAX_LINES + 1);
        let just = "\n".repeat(MAX_LINES);
        assert_eq!(count("crates/wire/src/id.rs", &long), 1);
        assert_eq!(count("crates/wire/src/id.rs", &just), 0);
        assert_eq!(count(GENERATED, &long), 0);
        assert_eq!(count("Cargo.lock", &long), 0);
    }

    #[test]
    fn public_getters_are_breaches() {
        assert_eq!(count("a.rs", "    pub const fn get_id(&self) {}"), 1);
        assert_eq!(count("a.rs", "pub(crate) async fn get_id() {}"), 1);
        assert_eq!(count("a.rs", "    pub const fn get(self) -> u64 {"), 0);
        assert_eq!(count("a.rs", "fn get_id() {}"), 0);
        assert_eq!(count("a.md", "pub fn get_id() {}"), 0);
    }

    #[test]
    fn paths_of_a_machine_are_breaches() {
        for home in HOMES {
            assert_eq!(count("README.md", &format!("see `/{home}/me/x`")), 1);
            assert_eq!(count("README.md", &format!("/{home}/me")), 1);
            assert_eq!(count("README.md", &format!("see example/{home}/me")), 0);
            assert_eq!(count("README.md", &format!("below /{home}/ and")), 0);
        }
        assert_eq!(count("README.md", "crates/homework/x and /homework/x"), 0);
    }
}
