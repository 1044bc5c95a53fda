//! `report-test`: a report of real runs in a headless Chromium: it opens with no network, every chart is whole, the map plays;
//! with screenshots to look at.

mod browser;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use browser::{Browser, Page};
use serde_json::Value;

use crate::tally::Tally;
use crate::{Outcome, process};

const FOLDER: &str = "target/report-test";
/// How long the map plays.
const PLAYED: Duration = Duration::from_millis(1_500);

/// What the page is made of: a world with places, and a trace without.
const RUNS: [&[&str]; 5] = [
    &[
        "run",
        "sim/scenarios/village-ferry.toml",
        "--router=default",
        "--seeds=1..3",
        "--set=duration=3h",
    ],
    &[
        "run",
        "sim/scenarios/village-ferry.toml",
        "--router=epidemic",
        "--seeds=1..3",
        "--set=duration=3h",
    ],
    &[
        "run",
        "sim/scenarios/village-ferry.toml",
        "--router=direct-delivery",
        "--seeds=1..3",
        "--set=duration=3h",
    ],
    &[
        "replay",
        "--contacts=sim/traces/rwp200-contacts.txt.gz",
        "--messages=sim/traces/rwp200-messages.txt.gz",
        "--router=default",
        "--seeds=1..2",
        "--end=2h",
    ],
    &[
        "replay",
        "--contacts=sim/traces/rwp200-contacts.txt.gz",
        "--messages=sim/traces/rwp200-messages.txt.gz",
        "--router=spray-and-wait",
        "--seeds=1..2",
        "--end=2h",
    ],
];

/// Each chart has its size and nothing of it is cut off; answers with what is wrong.
const CHARTS: &str = r#"[...document.querySelectorAll("figure")].flatMap((figure) => {
  const name = figure.querySelector("b").textContent, svg = figure.querySelector("svg");
  const box = svg.getBoundingClientRect();
  if (box.width < 200 || box.height < 20) return [name + ": no room"];
  return [...svg.querySelectorAll("text, rect, path, line")].flatMap((part) => {
    const at = part.getBoundingClientRect();
    const inside = at.left >= box.left - 2 && at.right <= box.right + 2 && at.top >= box.top - 2 && at.bottom <= box.bottom + 2;
    return inside ? [] : [name + ": cut off: " + (part.textContent || part.outerHTML)];
  });
})"#;
/// Words that stand on one another, in one chart.
const OVERLAPS: &str = r#"[...document.querySelectorAll("figure")].flatMap((figure) => {
  const texts = [...figure.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
  return texts.flatMap(([one, a], place) => texts.slice(place + 1).flatMap(([other, b]) =>
    a.left + 1 < b.right && b.left + 1 < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom
      ? [figure.querySelector("b").textContent + ": `" + one + "` on `" + other + "`"] : []));
})"#;
/// A figure that changes with each pixel of the first map.
const PIXELS: &str = r#"(() => {
  const canvas = document.querySelector(".map canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let hash = 0, painted = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] > 0) painted += 1;
    hash = (hash * 31 + data[at] + data[at + 1] * 7 + data[at + 2] * 13 + data[at + 3] * 17) | 0;
  }
  return painted > 100 ? hash : null;
})()"#;
const CLOCK: &str = r#"document.querySelector(".map .clock").textContent"#;
const PLAY: &str = r#"document.querySelector(".map button").click()"#;
const WAY: &str = r#"document.querySelector(".map .told").textContent"#;
const TOO_WIDE: &str =
    "document.scrollingElement.scrollWidth > document.documentElement.clientWidth + 1";

/// Runs it.
pub(crate) fn run(root: &Path) -> anyhow::Result<Outcome> {
    let folder = root.join(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("clearing {FOLDER}"))?;
    }
    fs::create_dir_all(&folder)?;
    let report = make(root, &folder)?;
    let mut browser = Browser::start(root, &folder)?;
    let mut page = browser.open(&report)?;
    let mut tally = Tally::default();
    let mut check = |name: &str, wrong: Option<String>| {
        tally.check(wrong.is_none());
        match wrong {
            None => println!("report-test: good    {name}"),
            Some(wrong) => println!("report-test: FAILED  {name}: {wrong}"),
        }
    };
    check(
        "every chart has its size and nothing is cut off",
        listed(&page.value(CHARTS)?),
    );
    check("no words stand on others", listed(&page.value(OVERLAPS)?));
    check("the map plays", plays(&mut page)?);
    let told = page.value(WAY)?;
    let told = told.as_str().unwrap_or_default();
    check(
        "the map tells a message's way",
        (!told.contains("nodes have had it")).then(|| told.to_owned()),
    );
    page.picture(&folder.join("report.png"))?;
    page.in_the_dark()?;
    page.picture(&folder.join("report-dark.png"))?;
    page.wide(400)?;
    let wide = page.value(TOO_WIDE)?;
    check(
        "it fits a telephone",
        (wide != false).then(|| "it is wider than 400 pixels".to_owned()),
    );
    page.picture(&folder.join("report-narrow.png"))?;
    let requests = page.requests();
    check(
        "nothing is asked of a network",
        (requests.len() != 1).then(|| requests.join(", ")),
    );
    let troubles = page.troubles();
    check(
        "no script fails",
        (!troubles.is_empty()).then(|| troubles.join("; ")),
    );
    println!("report-test: the page and pictures of it are in {FOLDER}: look at them");
    println!("{tally}");
    Ok(if tally.failed == 0 {
        Outcome::Good
    } else {
        Outcome::Bad
    })
}

/// Makes the runs and the page.
fn make(root: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    process::run(process::cargo(root).args([
        "build",
        "--quiet",
        "--locked",
        "--package",
        "chappe-sim",
    ]))?;
    let program = crate::metadata::target(root)?.join("debug/chappe-sim");
    let runs = folder.join("runs");
    for arguments in RUNS {
        process::run(
            process::program(&program, root)
                .args(arguments)
                .arg("--out")
                .arg(&runs),
        )?;
    }
    let report = folder.join("report.html");
    process::run(
        process::program(&program, root)
            .arg("report")
            .arg(&runs)
            .arg("-o")
            .arg(&report),
    )?;
    Ok(report)
}

/// What is wrong when somebody presses the button and waits.
fn plays(page: &mut Page<'_>) -> anyhow::Result<Option<String>> {
    let state = |page: &mut Page<'_>| -> anyhow::Result<[Value; 2]> {
        Ok([page.value(CLOCK)?, page.value(PIXELS)?])
    };
    let before = state(page)?;
    ensure!(
        !before.contains(&Value::Null),
        "there is no map: {before:?}"
    );
    page.value(PLAY)?;
    thread::sleep(PLAYED);
    page.value(PLAY)?;
    let [clock, pixels] = state(page)?;
    let [clock_before, pixels_before] = before;
    Ok(if clock == clock_before {
        Some(format!("the clock stands at {clock}"))
    } else if pixels == pixels_before {
        Some("the picture stands still".to_owned())
    } else {
        None
    })
}

/// A list of what is wrong, or nothing.
fn listed(value: &Value) -> Option<String> {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
    (!texts.is_empty() || !value.is_array()).then(|| texts.join("; "))
}
