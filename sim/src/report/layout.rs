//! Places for the nodes of a trace that tells none: those that are together for longer stand closer.

use std::collections::BTreeMap;

/// More nodes than this stand on a circle: springs would take too long.
const MOST: usize = 1_500;
const ROUNDS: u32 = 200;

/// A place for each node, from 0 to 1 in both directions. `weights` tell how strongly two of them attract each other.
///
/// Fruchterman, Reingold: "Graph drawing by force-directed placement", 1991.
pub(super) fn places(nodes: usize, weights: &BTreeMap<(u32, u32), f64>) -> Vec<(f64, f64)> {
    let golden = 2.399_963_229_728_653;
    let mut places: Vec<(f64, f64)> = (0..nodes)
        .map(|node| {
            let radius = (node as f64 / nodes.max(1) as f64).sqrt() / 2.0;
            let angle = node as f64 * golden;
            (radius * angle.cos(), radius * angle.sin())
        })
        .collect();
    if nodes > 1 && nodes <= MOST {
        let strongest = weights.values().copied().fold(f64::MIN_POSITIVE, f64::max);
        for round in 0..ROUNDS {
            let reach = 0.1 * (1.0 - f64::from(round) / f64::from(ROUNDS));
            move_all(&mut places, weights, strongest, reach);
        }
    }
    into_square(&mut places);
    places
}

fn move_all(
    places: &mut [(f64, f64)],
    weights: &BTreeMap<(u32, u32), f64>,
    strongest: f64,
    reach: f64,
) {
    let ideal = 1.0 / (places.len() as f64).sqrt();
    let mut pushes: Vec<(f64, f64)> = places
        .iter()
        .map(|(x, y)| {
            let mut push = (-x * 0.5, -y * 0.5);
            for (other_x, other_y) in places.iter() {
                let (dx, dy) = (x - other_x, y - other_y);
                let square = (dx * dx + dy * dy).max(1e-9);
                push.0 += dx / square * ideal * ideal;
                push.1 += dy / square * ideal * ideal;
            }
            push
        })
        .collect();
    for ((a, b), weight) in weights {
        let (a, b) = (*a as usize, *b as usize);
        let (Some(from), Some(to)) = (places.get(a).copied(), places.get(b).copied()) else {
            continue;
        };
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let force = (dx * dx + dy * dy).sqrt() / ideal * (weight / strongest).sqrt();
        if let Some(push) = pushes.get_mut(a) {
            push.0 += dx * force;
            push.1 += dy * force;
        }
        if let Some(push) = pushes.get_mut(b) {
            push.0 -= dx * force;
            push.1 -= dy * force;
        }
    }
    for (place, (x, y)) in places.iter_mut().zip(pushes) {
        let length = (x * x + y * y).sqrt().max(1e-9);
        let scale = length.min(reach) / length;
        place.0 += x * scale;
        place.1 += y * scale;
    }
}

fn into_square(places: &mut [(f64, f64)]) {
    let ends = |of: fn(&(f64, f64)) -> f64, places: &[(f64, f64)]| {
        let least = places.iter().map(of).fold(f64::INFINITY, f64::min);
        let most = places.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        (least, (most - least).max(1e-9))
    };
    let (left, width) = ends(|place| place.0, places);
    let (top, height) = ends(|place| place.1, places);
    for (x, y) in places {
        *x = (*x - left) / width;
        *y = (*y - top) / height;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::places;

    #[test]
    fn who_is_together_stands_together() {
        let mut weights = BTreeMap::new();
        for a in 0..10_u32 {
            for b in a + 1..10 {
                if (a < 5) == (b < 5) {
                    weights.insert((a, b), 100.0);
                }
            }
        }
        weights.insert((4, 5), 1.0);
        let places = places(10, &weights);
        let distance = |a: usize, b: usize| {
            let (dx, dy) = (places[a].0 - places[b].0, places[a].1 - places[b].1);
            (dx * dx + dy * dy).sqrt()
        };
        assert!(distance(0, 1) < distance(0, 9), "{places:?}");
        assert!(distance(7, 8) < distance(1, 8), "{places:?}");
    }
}
