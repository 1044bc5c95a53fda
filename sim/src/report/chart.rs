//! Bars with whiskers, as inline SVG.

use std::fmt::Write as _;

use super::results::Sample;

/// One router's bar.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) sample: Sample,
}

const WIDTH: f64 = 900.0;
const ROW: f64 = 30.0;
/// Where bars begin; names stand before it.
const LEFT: f64 = 160.0;
/// What is kept free for the numbers.
const RIGHT: f64 = 170.0;

/// A bar to a router from 0 on, a whisker to each bar, and the oracle as a dashed line.
pub(super) fn bars(bars: &[Bar], oracle: Option<f64>) -> String {
    let ends = bars.iter().map(|bar| bar.sample.mean + bar.sample.half);
    let most = ends.chain(oracle).fold(f64::MIN_POSITIVE, f64::max);
    let x = |value: f64| LEFT + value.max(0.0) / most * (WIDTH - LEFT - RIGHT);
    let height = ROW * bars.len() as f64 + if oracle.is_some() { ROW } else { 6.0 };
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">");
    for (row, bar) in bars.iter().enumerate() {
        let Sample { mean, half } = bar.sample;
        let top = ROW * row as f64;
        let (middle, baseline) = (top + ROW / 2.0, top + ROW / 2.0 + 5.0);
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{baseline}\">{}</text><rect class=\"bar\" x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"20\"/>",
            escaped(&bar.name),
            top + 5.0,
            x(mean) - LEFT
        );
        if half > 0.0 {
            let (from, to) = (x(mean - half), x(mean + half));
            let _ = write!(
                svg,
                "<line class=\"ci\" x1=\"{from:.1}\" x2=\"{to:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>"
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{baseline}\">{}</text>",
            x(mean + half) + 8.0,
            bar.sample
        );
    }
    if let Some(oracle) = oracle {
        let at = x(oracle);
        let shown = Sample {
            mean: oracle,
            half: 0.0,
        };
        let _ = write!(
            svg,
            "<line class=\"oracle\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"0\" y2=\"{:.1}\"/><text class=\"faint\" text-anchor=\"middle\" \
             x=\"{at:.1}\" y=\"{:.1}\">oracle {shown}</text>",
            height - ROW + 4.0,
            height - 8.0
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
}
