//! What systemd says of the service: no mistakes in it, and how much it could reach.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::package;
use crate::process;

const ANALYZE: &str = "systemd-analyze";
/// More exposure than this is a mistake: out of 100, where a service with no restrictions has 96.
const MOST_EXPOSURE: u32 = 20;

/// Looks at the service; gives what was seen.
///
/// # Errors
/// When systemd finds a mistake in it.
pub(super) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    if !process::is_installed(ANALYZE, root) {
        return Ok(vec![format!(
            "the service was not looked at: there is no {ANALYZE} here"
        )]);
    }
    let folder = std::env::temp_dir().join(format!("chappe-unit-{}", std::process::id()));
    fs::create_dir(&folder).context("making a folder for the service")?;
    let seen = look(root, &folder);
    fs::remove_dir_all(&folder).context("removing the copy of the service")?;
    seen
}

fn look(root: &Path, folder: &Path) -> anyhow::Result<Vec<String>> {
    let unit = fs::read_to_string(root.join(package::UNIT))?;
    anyhow::ensure!(
        unit.contains(package::PROGRAM),
        "the service starts another program"
    );
    // The program is not installed here, and systemd looks whether it is there.
    let path = folder.join("chappe.service");
    fs::write(&path, unit.replace(package::PROGRAM, "/bin/true"))?;
    let mut verify = process::program(ANALYZE, root);
    process::run(verify.arg("verify").arg(&path))?;
    let mut security = process::program(ANALYZE, root);
    security.args(["security", "--offline=true", "--no-pager"]);
    security
        .arg(format!("--threshold={MOST_EXPOSURE}"))
        .arg(&path);
    let table = process::output(&mut security)?;
    Ok(vec![
        format!("{ANALYZE} verify finds no mistake in the service"),
        format!(
            "{ANALYZE} security: {}",
            exposure(&table).context("no exposure was told")?
        ),
    ])
}

/// The level, without decoration: `1.5 OK`.
fn exposure(table: &str) -> Option<String> {
    let line = table
        .lines()
        .find(|line| line.contains("Overall exposure level"))?;
    let (_, level) = line.rsplit_once(": ")?;
    let words: Vec<&str> = level.split_whitespace().take(2).collect();
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_read_from_the_last_line() {
        let table =
            "✓ PrivateTmp=  ...\n\n→ Overall exposure level for chappe.service: 1.5 OK 🙂\n";
        assert_eq!(exposure(table).as_deref(), Some("1.5 OK"));
        assert_eq!(exposure("nothing"), None);
    }

    #[test]
    fn the_service_is_without_mistakes_where_systemd_can_say_so() {
        check(&crate::root().unwrap()).unwrap();
    }
}
