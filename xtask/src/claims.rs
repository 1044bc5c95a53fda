//! `claims`: what SECURITY.md promises names the tests that show it, and they exist; so do the tests that OMEMO's page
//! names for each attack.
//!
//! A claim is a row of a table whose last column names its tests as `path/to/file.rs::name`, between
//! backticks. A row without one says `open` there, for people to see.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::Outcome;

/// The rows below the heading, up to the next one, are claims.
const DOCUMENTS: [(&str, &str); 2] = [
    ("SECURITY.md", "## What is promised, and by which test"),
    ("crates/omemo/README.md", "## Attacks, and the test of each"),
];

/// Prints each claim without a test that exists; good if each says either `open` or a test's name.
pub(crate) fn run(root: &Path) -> anyhow::Result<Outcome> {
    let mut bad = 0;
    for (document, heading) in DOCUMENTS {
        bad += check(root, document, heading)?;
    }
    Ok(if bad == 0 {
        Outcome::Good
    } else {
        Outcome::Bad
    })
}

/// How many claims of a document are without their test.
fn check(root: &Path, document: &str, heading: &str) -> anyhow::Result<usize> {
    let text = fs::read_to_string(root.join(document));
    let text = text.with_context(|| format!("reading {document}"))?;
    let claims = parse(&text, heading);
    anyhow::ensure!(!claims.is_empty(), "{document} has no table `{heading}`");
    let source = |path: &str| fs::read_to_string(root.join(path)).ok();
    let mut bad = 0;
    for claim in &claims {
        if let Some(problem) = claim.problem(source) {
            println!("claims: \"{}\": {problem}", claim.sentence);
            bad += 1;
        }
    }
    let open = claims.iter().filter(|claim| claim.open).count();
    println!(
        "claims: {document}: {} claims, {open} of them said to be open, {bad} without their test",
        claims.len()
    );
    Ok(bad)
}

struct Claim<'a> {
    sentence: &'a str,
    tests: Vec<&'a str>,
    open: bool,
}

fn parse<'a>(document: &'a str, heading: &str) -> Vec<Claim<'a>> {
    document
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| line.trim().strip_prefix('|')?.strip_suffix('|'))
        .skip(2)
        .filter_map(|row| {
            let sentence = row.split('|').next()?.trim();
            let evidence = row.rsplit('|').next()?.trim();
            Some(Claim {
                sentence,
                tests: evidence.split('`').skip(1).step_by(2).collect(),
                open: evidence.starts_with("open"),
            })
        })
        .collect()
}

impl Claim<'_> {
    /// What is wrong with the claim's evidence; `source` gives the text of a file, if there is one.
    fn problem(&self, source: impl Fn(&str) -> Option<String>) -> Option<String> {
        if self.tests.is_empty() && !self.open {
            return Some("names no test and does not say `open`".to_owned());
        }
        self.tests
            .iter()
            .find(|test| !exists(test, &source))
            .map(|test| format!("there is no test `{test}`"))
    }
}

fn exists(test: &str, source: impl Fn(&str) -> Option<String>) -> bool {
    let Some((path, name)) = test.split_once("::") else {
        return false;
    };
    let function = format!("fn {name}(");
    source(path).is_some_and(|text| is_test(&text, &function))
}

/// Whether `function` is declared below an attribute or macro that makes it a test.
fn is_test(text: &str, function: &str) -> bool {
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if line.contains(function) {
            return marked;
        }
        // An attribute holds for the next function; other attributes may stand between.
        marked = match line.strip_prefix("#[") {
            Some(attribute) => marked || attribute.contains("test"),
            None => marked && (line.is_empty() || line.starts_with("//")),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "\
# Security
| not | a claim |

## What is promised, and by which test

| claim | test |
|---|---|
| It floats. | `a.rs::it_floats` |
| It flies. | `a.rs::it_flies`, `b.rs::and_lands` |
| It sings. | open: later |
| It dances. | surely |

## Next

| not | a claim |
";
    const A: &str = "\
#[test]
#[ignore = \"slow\"]
fn it_floats() {}

fn it_flies() {}
";

    fn problems() -> Vec<Option<String>> {
        let source = |path: &str| (path == "a.rs").then(|| A.to_owned());
        let claims = parse(DOCUMENT, "## What is promised, and by which test");
        claims.iter().map(|claim| claim.problem(source)).collect()
    }

    #[test]
    fn a_claim_is_backed_by_a_test_that_exists_or_says_that_it_is_open() {
        let problems = problems();
        assert_eq!(problems.len(), 4);
        assert_eq!(problems[0], None);
        assert_eq!(problems[2], None);
    }

    #[test]
    fn a_function_that_is_no_test_backs_nothing() {
        assert!(problems()[1].as_ref().unwrap().contains("it_flies"));
    }

    #[test]
    fn a_claim_with_neither_is_a_breach() {
        assert!(problems()[3].as_ref().unwrap().contains("names no test"));
    }

    #[test]
    fn the_attribute_belongs_to_the_function_below_it() {
        let text = "#[test]\nfn one() {\n}\nfn two() {}\n#[tokio::test]\nasync fn three() {}\n";
        assert!(is_test(text, "fn one("));
        assert!(!is_test(text, "fn two("));
        assert!(is_test(text, "fn three("));
        assert!(!is_test(text, "fn four("));
    }
}
