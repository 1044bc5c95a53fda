//! When two nodes that move on straight lines come into range and leave it.

use super::space::Point;

/// What happens while the way from one node to the other changes evenly from `start` to `end`. Times are fractions, from
/// 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Crossing {
    /// Nothing changes.
    None,
    /// They come into range.
    In(f64),
    /// They leave it.
    Out(f64),
    /// They come into range and leave it.
    Through(f64, f64),
}

/// Whether two nodes are in range. The border belongs to it.
pub(super) fn in_range(way: Point, range: f64) -> bool {
    way.dot(way) <= range * range
}

/// Solves `|start + u (end - start)| = range` for `u`. Whether they are in range at either end is decided by
/// [`in_range`] alone, so that consecutive pieces of one way agree, however the root is rounded.
pub(super) fn crossing(start: Point, end: Point, range: f64) -> Crossing {
    let (before, after) = (in_range(start, range), in_range(end, range));
    let change = end.minus(start);
    // a u^2 + 2 b u + c = 0
    let (a, b, c) = (
        change.dot(change),
        start.dot(change),
        start.dot(start) - range * range,
    );
    if before && after || a == 0.0 {
        return Crossing::None;
    }
    let discriminant = b * b - a * c;
    // In range at one end only: the root exists, and rounding alone can have made this negative.
    let root = discriminant.max(0.0).sqrt();
    // The two roots without loss of digits: their product is c / a.
    let far = if b > 0.0 { -b - root } else { -b + root };
    let (one, other) = if far == 0.0 {
        (0.0, 0.0)
    } else {
        (far / a, c / far)
    };
    let (enter, leave) = (
        one.min(other).clamp(0.0, 1.0),
        one.max(other).clamp(0.0, 1.0),
    );
    match (before, after) {
        (false, true) => Crossing::In(enter),
        (true, false) => Crossing::Out(leave),
        _ if discriminant > 0.0 && b < 0.0 && -b < a && enter < leave => {
            Crossing::Through(enter, leave)
        }
        _ => Crossing::None,
    }
}
