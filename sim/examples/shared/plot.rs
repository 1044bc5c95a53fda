//! Pictures: one mark for each point, in colours by group, over a logarithmic axis.

use std::fmt::Write as _;

/// A group of points with a name.
pub(crate) struct Group {
    pub(crate) name: String,
    /// Place across, value, and what is written beside it.
    pub(crate) points: Vec<(f64, f64, String)>,
}

/// A picture's frame.
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    pub(crate) across: &'a str,
    /// What is written under the axis, ascending; at least two.
    pub(crate) ticks: &'a [f64],
    pub(crate) up: &'a str,
    /// The values at the bottom and at the top.
    pub(crate) range: (f64, f64),
    /// Where a dashed line shows the target.
    pub(crate) target: Option<f64>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 52.0;
const COLOURS: [&str; 6] = [
    "#1b6ca8", "#c1442e", "#3d8b40", "#8a4fa3", "#b07d12", "#555555",
];

impl Frame<'_> {
    /// The picture, as SVG.
    pub(crate) fn draw(&self, groups: &[Group]) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{}</text>\n",
            self.title
        );
        self.axes(&mut svg);
        for (place, (group, colour)) in groups.iter().zip(COLOURS.iter().cycle()).enumerate() {
            let mut way = String::new();
            for (across, value, label) in &group.points {
                let (x, y) = (self.place(*across), self.height(*value));
                let _ = write!(way, "{x:.1},{y:.1} ");
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>\
                    <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"10\" fill=\"{colour}\">{label}</text>",
                    x + 6.0,
                    y - 5.0
                );
            }
            let _ = writeln!(
                svg,
                "<polyline points=\"{way}\" fill=\"none\" stroke=\"{colour}\" stroke-opacity=\"0.5\"/>"
            );
            let (x, y) = (WIDTH - RIGHT + 16.0, TOP + 16.0 + 18.0 * place as f64);
            let _ = writeln!(
                svg,
                "<circle cx=\"{x}\" cy=\"{:.1}\" r=\"4\" fill=\"{colour}\"/>\
                <text x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
                y - 4.0,
                x + 10.0,
                group.name
            );
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn axes(&self, svg: &mut String) {
        let (right, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in self.ticks {
            let x = self.place(*tick);
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{floor}\" stroke=\"#e4e4e4\"/>\
                <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}</text>",
                floor + 16.0
            );
        }
        let (bottom, top) = self.range;
        for step in 0..=5 {
            let value = bottom + (top - bottom) * f64::from(step) / 5.0;
            let y = self.height(value);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#e4e4e4\"/>\
                <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.2}</text>",
                LEFT - 6.0,
                y + 4.0
            );
        }
        if let Some(target) = self.target {
            let y = self.height(target);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#333\" stroke-dasharray=\"5 4\"/>"
            );
        }
        let middle = f64::midpoint(LEFT, right);
        let _ = writeln!(
            svg,
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - 12.0,
            self.across
        );
        let y = f64::midpoint(TOP, floor);
        let _ = writeln!(
            svg,
            "<text x=\"16\" y=\"{y:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 16 {y:.1})\">{}</text>",
            self.up
        );
    }

    fn height(&self, value: f64) -> f64 {
        let (bottom, top) = self.range;
        let part = (value.clamp(bottom, top) - bottom) / (top - bottom);
        HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
    }

    fn place(&self, across: f64) -> f64 {
        let ends = self.ticks.first().zip(self.ticks.last());
        let (first, last) = ends.map_or((1.0, 10.0), |(first, last)| (*first, *last));
        let part = (across.clamp(first, last) / first).ln() / (last / first).ln();
        LEFT + part * (WIDTH - RIGHT - LEFT)
    }
}
