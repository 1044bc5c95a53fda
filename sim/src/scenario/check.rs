//! What is wrong with a scenario that a parser cannot see.

use super::file::{FaultFile, GroupFile, MovementFile};
use super::{Scenario, ScenarioError};
use crate::radio::preset;
use crate::traffic::{MAX_MESSAGES, Traffic, When};

/// No message is larger: 1,000 GB.
const MAX_SIZE: u64 = 1_000_000_000_000;

impl Scenario {
    /// What a parser cannot see.
    pub(super) fn check(&self) -> Result<(), ScenarioError> {
        let file = &self.file;
        let refuse = |key: &str, value: &str, what: String, expected: &str| {
            Err(self.source.of(key, value, what, expected))
        };
        let nodes: u64 = file.groups.iter().map(|group| u64::from(group.count)).sum();
        if nodes == 0 || nodes > 10_000_000 {
            return refuse(
                "[[groups]]",
                "count",
                format!("{nodes} nodes"),
                "1 to 10 million nodes",
            );
        }
        for (key, time, what) in [
            ("duration", file.duration, "a run of no length"),
            ("ttl", file.ttl, "messages that do not live"),
        ] {
            if time.0 <= 0.0 {
                return refuse(key, key, what.into(), "a time above 0s");
            }
        }
        for (place, group) in file.groups.iter().enumerate() {
            let name = format!("\"{}\"", group.name);
            let mut before = file.groups.iter().take(place);
            if before.any(|other| other.name == group.name) {
                let what = format!("a second group called `{}`", group.name);
                return refuse(&name, &name, what, "a name for each group");
            }
            for movement in movements(group) {
                if let Some((key, expected)) = impossible(movement) {
                    let what = format!("no such `{key}` for the group `{}`", group.name);
                    return refuse(&name, key, what, expected);
                }
            }
            if let Err(error) = preset(&group.radio) {
                let radio = format!("\"{}\"", group.radio);
                return refuse(&name, &radio, error.to_string(), "one of these");
            }
            match (&group.movement, &file.contacts) {
                (None, None) => {
                    return refuse(
                        &name,
                        &name,
                        "a group without movement".into(),
                        "`movement`, or `contacts` for all",
                    );
                }
                (Some(_), Some(_)) => {
                    return refuse(
                        &name,
                        &name,
                        "a group with movement beside contacts of a trace".into(),
                        "one of them",
                    );
                }
                _ => {}
            }
        }
        let known = |name: &String| file.groups.iter().any(|group| group.name == *name);
        let named = file
            .traffic
            .iter()
            .flat_map(|traffic| traffic.from.iter().chain(&traffic.to));
        for name in named.chain(file.faults.iter().flat_map(fault_groups)) {
            if !known(name) {
                let names: Vec<&str> = file
                    .groups
                    .iter()
                    .map(|group| group.name.as_str())
                    .collect();
                let expected = format!("one of the groups {}", names.join(", "));
                return refuse(
                    "",
                    &format!("\"{name}\""),
                    format!("no group is called `{name}`"),
                    &expected,
                );
            }
        }
        for traffic in &file.traffic {
            if let Some((key, what, expected)) = absurd(traffic) {
                return refuse("[[traffic]]", key, what.into(), expected);
            }
            for (key, names) in [("from", &traffic.from), ("to", &traffic.to)] {
                let meant = |name: &String| names.is_empty() || names.contains(name);
                let meant = file.groups.iter().filter(|group| meant(&group.name));
                if meant.map(|group| u64::from(group.count)).sum::<u64>() == 0 {
                    return refuse(
                        "[[traffic]]",
                        key,
                        format!("messages {key} nobody: {} have no nodes", names.join(", ")),
                        "groups with nodes",
                    );
                }
            }
            if nodes == 1 {
                return refuse(
                    "[[traffic]]",
                    "when",
                    "messages, and one node".into(),
                    "two nodes at least",
                );
            }
        }
        let most: f64 = file
            .traffic
            .iter()
            .map(|traffic| expected_messages(traffic, file.duration.0))
            .sum();
        if most > MAX_MESSAGES as f64 {
            return refuse(
                "[[traffic]]",
                "every",
                format!("about {most:.0} messages"),
                "50 million at most",
            );
        }
        for fault in &file.faults {
            if let FaultFile::Crash { every, .. } | FaultFile::Flood { every, .. } = fault
                && every.0 <= 0.0
            {
                return refuse(
                    "[[faults]]",
                    "every",
                    "a fault without end".into(),
                    "a time above 0s",
                );
            }
            for (name, number) in fault_shares(fault) {
                if !(0.0..=1.0).contains(&number) {
                    return refuse(
                        "[[faults]]",
                        name,
                        format!("{name} = {number}"),
                        "a number from 0 to 1",
                    );
                }
            }
        }
        Ok(())
    }
}

fn movements(group: &GroupFile) -> impl Iterator<Item = &MovementFile> {
    let later = group.later.iter().map(|later| &later.movement);
    group.movement.iter().chain(later)
}

/// What no movement can be made of: the key, and what was expected of it.
fn impossible(movement: &MovementFile) -> Option<(&'static str, &'static str)> {
    let share = |share: &f64| !(0.0..=1.0).contains(share);
    match movement {
        MovementFile::Clusters { centres, .. } if centres.is_empty() => {
            Some(("centres", "one place at least"))
        }
        MovementFile::Route { stops, .. } if stops.is_empty() => {
            Some(("stops", "one place at least"))
        }
        MovementFile::Stationary { places, area: None } if places.is_empty() => {
            Some(("stationary", "`places`, or an `area` to draw them from"))
        }
        MovementFile::WorkingDay { evening_share, .. } if share(evening_share) => {
            Some(("evening-share", "a number from 0 to 1"))
        }
        MovementFile::WorkingDay { drivers, .. } if share(drivers) => {
            Some(("drivers", "a number from 0 to 1"))
        }
        MovementFile::WorkingDay {
            office_count: 0, ..
        } => Some(("office-count", "one at least")),
        MovementFile::WorkingDay {
            evening_count: 0, ..
        } => Some(("evening-count", "one at least")),
        _ => None,
    }
}

/// What nobody can write: the key, what it is, and what was expected.
fn absurd(traffic: &Traffic) -> Option<(&'static str, &'static str, &'static str)> {
    let (When::Bursts { every, .. } | When::Periodic { every } | When::Poisson { every }) =
        &traffic.when;
    if every.0 <= 0.0 {
        return Some(("every", "messages without end", "a time above 0s"));
    }
    if matches!(traffic.when, When::Bursts { messages: 0, .. }) {
        return Some(("messages", "bursts of no messages", "one at least"));
    }
    if traffic.recipients == 0 {
        return Some(("recipients", "messages to nobody", "one at least"));
    }
    if traffic.size.0 == 0 || traffic.size.1 > MAX_SIZE {
        return Some(("size", "messages of no such size", "1B to 1000GB"));
    }
    if traffic.pieces.is_some_and(|piece| piece.0 == 0) {
        return Some(("pieces", "pieces of no bytes", "1B at least"));
    }
    if traffic.ends.is_some_and(|ends| ends.0 <= traffic.starts.0) {
        return Some(("ends", "messages that end before they start", "a later end"));
    }
    None
}

/// About how many messages there are in a run of so many seconds.
fn expected_messages(traffic: &Traffic, duration: f64) -> f64 {
    let (every, at_once) = match &traffic.when {
        When::Bursts {
            every, messages, ..
        } => (every, f64::from(*messages)),
        When::Periodic { every } | When::Poisson { every } => (every, 1.0),
    };
    let until = traffic.ends.map_or(duration, |ends| ends.0.min(duration));
    let size = (traffic.size.0 as f64 + traffic.size.1 as f64) / 2.0;
    let pieces = traffic
        .pieces
        .map_or(1.0, |piece| (size / piece.0 as f64).ceil());
    let times = (until - traffic.starts.0).max(0.0) / every.0;
    times * at_once * f64::from(traffic.recipients) * pieces
}

fn fault_groups(fault: &FaultFile) -> &[String] {
    match fault {
        FaultFile::Clocks { groups, .. }
        | FaultFile::Crash { groups, .. }
        | FaultFile::DropAll { groups, .. }
        | FaultFile::DropSome { groups, .. }
        | FaultFile::Flood { groups, .. }
        | FaultFile::ForgeReceipts { groups, .. }
        | FaultFile::LieAboutAge { groups, .. } => groups,
        FaultFile::Corruption { .. }
        | FaultFile::Duplication { .. }
        | FaultFile::Loss { .. }
        | FaultFile::Reordering { .. } => &[],
    }
}

fn fault_shares(fault: &FaultFile) -> Vec<(&'static str, f64)> {
    match fault {
        FaultFile::Clocks { share, .. }
        | FaultFile::DropAll { share, .. }
        | FaultFile::Flood { share, .. }
        | FaultFile::ForgeReceipts { share, .. }
        | FaultFile::LieAboutAge { share, .. } => vec![("share", *share)],
        FaultFile::DropSome {
            share, probability, ..
        } => vec![("share", *share), ("probability", *probability)],
        FaultFile::Corruption { probability }
        | FaultFile::Duplication { probability }
        | FaultFile::Loss { probability }
        | FaultFile::Reordering { probability, .. } => vec![("probability", *probability)],
        FaultFile::Crash { .. } => Vec::new(),
    }
}
