//! Two sets of results side by side: the same runs in both are pairs, and what differs is told with how sure it is.

use std::collections::BTreeMap;

use serde::Serialize;

use super::results::{Results, Run};
use super::sample::Sample;
use super::world::World;

/// What is compared, and whether more of it is better.
const METRICS: [(&str, bool); 7] = [
    ("delivery_prob", true),
    ("latency_avg", false),
    ("latency_med", false),
    ("overhead_ratio", false),
    ("relayed", false),
    ("data_bytes", false),
    ("control_bytes", false),
];

/// A metric of a router in a world, in two sets of results.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The scenario or trace, with what was set.
    pub scenario: String,
    /// The router; `a -> b` where each set has one and they differ.
    pub router: String,
    /// The metric.
    pub metric: &'static str,
    /// How many pairs of runs have a value for it.
    pub pairs: usize,
    /// The mean of the first set.
    pub base: f64,
    /// The mean of the second set.
    pub new: f64,
    /// The mean of the differences in each pair, second less first.
    pub difference: f64,
    /// Half of the 95 % confidence interval of that (Student's t for pairs); `None` for one pair, which has none and is taken
    /// at its word.
    pub half: Option<f64>,
    /// What to make of it.
    pub verdict: Verdict,
}

/// What to make of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The interval is on the good side of zero.
    Better,
    /// The interval has zero in it, or the difference is within the tolerance.
    Same,
    /// The interval is on the bad side of zero.
    Worse,
}

/// What came of comparing.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// By world, router and metric.
    pub comparisons: Vec<Comparison>,
    /// How many runs of the first set, and of the second, have no partner in the other.
    pub alone: [usize; 2],
}

/// Compares. A difference of up to `tolerance` times the first set's mean is none.
pub fn compare(base: &Results, new: &Results, tolerance: f64) -> Compared {
    let renamed = renamed(base, new);
    let partners = partners(base, new);
    let titles = new.titles();
    let mut pairs: BTreeMap<(String, String), Vec<(&Run, &Run)>> = BTreeMap::new();
    let router = |run: &Run| renamed.clone().unwrap_or_else(|| run.router());
    let known: BTreeMap<_, &Run> = base
        .runs()
        .iter()
        .map(|run| ((run.world(), router(run), run.seed()), run))
        .collect();
    let mut paired = 0;
    for run in new.runs() {
        let world = run.world();
        let Some(partner) = partners.get(&world) else {
            continue;
        };
        if let Some(other) = known.get(&(partner.clone(), router(run), run.seed())) {
            let title = titles.get(&world).cloned().unwrap_or_default();
            let pairs = pairs.entry((title, router(run))).or_default();
            pairs.push((other, run));
            paired += 1;
        }
    }
    let alone = [base, new].map(|results| results.runs().len() - paired);
    let comparisons = comparisons(pairs, tolerance);
    Compared { comparisons, alone }
}

/// Of each world of the second set, which of the first is meant: the same; or else, so that settings may differ between the
/// sets, the only one of that title, if each set has one.
fn partners(base: &Results, new: &Results) -> BTreeMap<World, World> {
    let by_title = |results: &Results| {
        let mut titles: BTreeMap<String, Vec<World>> = BTreeMap::new();
        for world in results.worlds().into_keys() {
            titles.entry(world.title()).or_default().push(world);
        }
        titles
    };
    let base = by_title(base);
    let mut partners = BTreeMap::new();
    for (title, worlds) in by_title(new) {
        let others = base.get(&title).map_or(&[][..], Vec::as_slice);
        if let ([one], [other]) = (worlds.as_slice(), others) {
            partners.insert(one.clone(), other.clone());
            continue;
        }
        for world in worlds.into_iter().filter(|world| others.contains(world)) {
            partners.insert(world.clone(), world);
        }
    }
    partners
}

fn comparisons(
    pairs: BTreeMap<(String, String), Vec<(&Run, &Run)>>,
    tolerance: f64,
) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for ((scenario, router), pairs) in pairs {
        for (metric, up) in METRICS {
            let values: Vec<(f64, f64)> = pairs
                .iter()
                .filter_map(|(base, new)| Some((base.number(metric)?, new.number(metric)?)))
                .collect();
            let of = |which: fn(&(f64, f64)) -> f64| {
                Sample::of(&values.iter().map(which).collect::<Vec<_>>())
            };
            let both = (
                of(|pair| pair.0),
                of(|pair| pair.1),
                of(|pair| pair.1 - pair.0),
            );
            let (Some(base), Some(new), Some(difference)) = both else {
                continue;
            };
            comparisons.push(Comparison {
                scenario: scenario.clone(),
                router: router.clone(),
                metric,
                pairs: values.len(),
                base: base.mean,
                new: new.mean,
                difference: difference.mean,
                half: (values.len() > 1).then_some(difference.half),
                // Of several pairs one that is left over tells nothing.
                verdict: if values.len() == 1 && pairs.len() > 1 {
                    Verdict::Same
                } else {
                    verdict(difference, base.mean.abs() * tolerance, up)
                },
            });
        }
    }
    comparisons
}

/// Where each set has one router and they differ, they are compared with each other.
fn renamed(base: &Results, new: &Results) -> Option<String> {
    let only = |results: &Results| {
        let mut routers: Vec<String> = results.runs().iter().map(Run::router).collect();
        routers.dedup();
        match routers.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    };
    let (base, new) = (only(base)?, only(new)?);
    (base != new).then(|| format!("{base} -> {new}"))
}

fn verdict(difference: Sample, within: f64, up: bool) -> Verdict {
    let Sample { mean, half, .. } = difference;
    if mean.abs() <= half || mean.abs() <= within {
        Verdict::Same
    } else if (mean > 0.0) == up {
        Verdict::Better
    } else {
        Verdict::Worse
    }
}

#[cfg(test)]
mod tests {
    use super::{Sample, Verdict, verdict};

    #[test]
    fn only_what_is_sure_and_large_enough_counts() {
        let sample = |mean, half| Sample {
            mean,
            half,
            count: 5,
        };
        assert_eq!(verdict(sample(-0.1, 0.05), 0.0, true), Verdict::Worse);
        assert_eq!(verdict(sample(-0.1, 0.05), 0.0, false), Verdict::Better);
        assert_eq!(verdict(sample(-0.1, 0.2), 0.0, true), Verdict::Same);
        assert_eq!(verdict(sample(-0.1, 0.05), 0.15, true), Verdict::Same);
        assert_eq!(verdict(sample(0.0, 0.0), 0.0, true), Verdict::Same);
    }
}
