//! Bars with whiskers, as inline SVG.

use std::fmt::Write as _;

use super::Sample;
use super::sample::number;

/// One router's bar.
pub(super) struct Bar {
    pub(super) name: String,
    /// Which colour.
    pub(super) colour: usize,
    pub(super) sample: Sample,
}

const WIDTH: f64 = 560.0;
const ROW: f64 = 26.0;
/// Where bars begin; names stand before it.
const LEFT: f64 = 120.0;
/// What is kept free for the numbers.
const RIGHT: f64 = 120.0;

/// A bar to a router from 0 on, a whisker to each bar, and the oracle as a dashed line.
pub(super) fn bars(bars: &[Bar], oracle: Option<f64>) -> String {
    let ends = bars.iter().map(|bar| bar.sample.mean + bar.sample.half);
    let most = ends.chain(oracle).fold(f64::MIN_POSITIVE, f64::max);
    let x = |value: f64| LEFT + value.max(0.0) / most * (WIDTH - LEFT - RIGHT);
    let rows = ROW * bars.len() as f64;
    let height = rows + if oracle.is_some() { 22.0 } else { 4.0 };
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">");
    for (row, bar) in bars.iter().enumerate() {
        let Sample { mean, half, .. } = bar.sample;
        let top = ROW * row as f64;
        let (middle, baseline) = (top + ROW / 2.0, top + ROW / 2.0 + 4.5);
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{baseline}\">{}</text><rect class=\"f{}\" x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{}\" rx=\"2\"/>",
            escaped(&bar.name),
            bar.colour,
            top + 5.0,
            (x(mean) - LEFT).max(0.5),
            ROW - 10.0
        );
        if half > 0.0 {
            let (from, to) = (x(mean - half), x(mean + half));
            let (above, below) = (middle - 4.0, middle + 4.0);
            let _ = write!(
                svg,
                "<path class=\"ci\" d=\"M{from:.1} {above}V{below}M{from:.1} {middle}H{to:.1}M{to:.1} {above}V{below}\"/>"
            );
        }
        let end = x(mean + half).max(oracle.map_or(0.0, |oracle| {
            // The number goes beside the line, not across it.
            let line = x(oracle);
            if (line - x(mean + half)).abs() < 70.0 {
                line
            } else {
                0.0
            }
        }));
        let _ = write!(
            svg,
            "<text class=\"number\" x=\"{:.1}\" y=\"{baseline}\">{}</text>",
            end + 8.0,
            bar.sample
        );
    }
    if let Some(oracle) = oracle {
        let at = x(oracle);
        let _ = write!(
            svg,
            "<line class=\"oracle\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"0\" y2=\"{:.1}\"/><text class=\"faint\" text-anchor=\"middle\" \
             x=\"{at:.1}\" y=\"{:.1}\">oracle {}</text>",
            rows + 4.0,
            rows + 18.0,
            number(oracle)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// A name as HTML text.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
