//! What is wrong with a scenario that a parser cannot see.

use super::file::FaultFile;
use super::{Scenario, ScenarioError};
use crate::radio::preset;
use crate::traffic;

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
        if file.duration.0 <= 0.0 {
            return refuse(
                "duration",
                "duration",
                "a run of no length".into(),
                "a duration above 0s",
            );
        }
        for group in &file.groups {
            let name = format!("\"{}\"", group.name);
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
            let (traffic::When::Bursts { every, .. }
            | traffic::When::Periodic { every }
            | traffic::When::Poisson { every }) = &traffic.when;
            if every.0 <= 0.0 {
                return refuse(
                    "[[traffic]]",
                    "every",
                    "messages without end".into(),
                    "a time above 0s",
                );
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
        for fault in &file.faults {
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
