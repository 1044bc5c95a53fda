//! Lines over time, as inline SVG.

use std::fmt::Write as _;

use super::bars::escaped;
use super::sample::number;

/// One router's line.
pub(super) struct Line {
    pub(super) name: String,
    /// Which colour.
    pub(super) colour: usize,
    /// Beside a line of the same colour that matters more.
    pub(super) faint: bool,
    pub(super) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 38.0;

/// The units of time: the longest that a span is before the next one is used, the name, and seconds in it.
const UNITS: [(f64, &str, f64); 4] = [
    (180.0, "s", 1.0),
    (3.0 * 3_600.0, "min", 60.0),
    (4.0 * 86_400.0, "h", 3_600.0),
    (f64::INFINITY, "d", 86_400.0),
];

/// Lines over seconds from 0 on, and the oracle as a dashed line across.
pub(super) fn lines(lines: &[Line], oracle: Option<f64>, what: &str) -> String {
    let points = || lines.iter().flat_map(|line| line.points.iter().copied());
    let last = points().map(|(x, _)| x).fold(f64::MIN_POSITIVE, f64::max);
    let most = points()
        .map(|(_, y)| y)
        .chain(oracle)
        .fold(f64::MIN_POSITIVE, f64::max);
    let (_, unit, seconds) = UNITS
        .iter()
        .find(|(until, ..)| last <= *until)
        .copied()
        .unwrap_or((f64::INFINITY, "s", 1.0));
    let step = step(most, 4.0);
    let top = (most / step).ceil() * step;
    let x = |at: f64| LEFT + at / last * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">");
    for mark in marks(top, step) {
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"faint\" text-anchor=\"end\" \
             x=\"{}\" y=\"{:.1}\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            y(mark) + 4.0,
            tick(mark),
            y = y(mark)
        );
    }
    let long = last / seconds;
    for mark in marks(long, self::step(long, 6.0)) {
        let _ = write!(
            svg,
            "<text class=\"faint\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{}\">{mark}</text>",
            x(mark * seconds),
            HEIGHT - BOTTOM + 17.0
        );
    }
    let _ = write!(
        svg,
        "<text class=\"faint\" text-anchor=\"end\" x=\"{}\" y=\"{}\">{what} ({unit})</text>",
        WIDTH - RIGHT,
        HEIGHT - 5.0
    );
    for line in lines.iter().filter(|line| !line.points.is_empty()) {
        let _ = write!(
            svg,
            "<path class=\"l{}{}\" d=\"{}\"><title>{}</title></path>",
            line.colour,
            if line.faint { " pale" } else { "" },
            path(&line.points, x, y),
            escaped(&line.name)
        );
    }
    if let Some(oracle) = oracle {
        let at = y(oracle);
        let _ = write!(
            svg,
            "<line class=\"oracle\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text class=\"faint\" x=\"{}\" y=\"{:.1}\">\
             oracle {}</text>",
            WIDTH - RIGHT,
            LEFT + 6.0,
            at + if at < TOP + 14.0 { 15.0 } else { -6.0 },
            number(oracle)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Points that fall on the same place as the one before are left out.
fn path(points: &[(f64, f64)], x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut text = String::new();
    let mut last = String::new();
    for (at, value) in points {
        let place = format!("{:.1} {:.1}", x(*at), y(*value));
        if place != last {
            let _ = write!(text, "{}{place}", if text.is_empty() { "M" } else { "L" });
            last = place;
        }
    }
    text
}

fn marks(end: f64, step: f64) -> impl Iterator<Item = f64> {
    let count = (end / step + 1e-9).floor() as u32;
    (0..=count).map(move |mark| {
        // 3 times 0.1 is not quite 0.3.
        let mark = f64::from(mark) * step;
        (mark * 1e6).round() / 1e6
    })
}

/// What stands beside a mark: no more digits than it has.
fn tick(mark: f64) -> String {
    if mark < 1_000.0 {
        mark.to_string()
    } else {
        number(mark)
    }
}

/// 1, 2 or 5 times a power of ten, so that there are about so many steps.
fn step(end: f64, steps: f64) -> f64 {
    let rough = (end / steps).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(rough.log10().floor());
    let nice = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|nice| nice * power >= rough);
    nice.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::{marks, step};

    #[test]
    fn marks_are_round() {
        assert_eq!(step(1.0, 4.0), 0.5);
        assert_eq!(step(43_200.0 / 3_600.0, 6.0), 2.0);
        assert_eq!(
            marks(1.0, 0.2).collect::<Vec<_>>(),
            [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        );
    }
}
