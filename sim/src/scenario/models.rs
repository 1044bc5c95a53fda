//! From what a scenario says of movement to a model of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::file::MovementFile;
use super::quantity::{MetreSpan, Place, SpeedSpan, TimeSpan};
use super::{Scenario, ScenarioError};
use crate::draws::{Draws, Purpose};
use crate::movement::{
    Area, Clusters, Model, Point, RandomWalk, RandomWaypoint, Roads, RoadsModel, Route, Stationary,
    WorkingDay,
};

/// Who goes to their place walks this fast, in metres a second.
const WALKING: f64 = 1.4;

/// Maps that were read already.
#[derive(Default)]
pub(super) struct Maps(BTreeMap<std::path::PathBuf, Arc<Roads>>);

impl Maps {
    fn read(&mut self, scenario: &Scenario, path: &Path) -> Result<Arc<Roads>, ScenarioError> {
        if let Some(known) = self.0.get(path) {
            return Ok(known.clone());
        }
        let roads = Roads::read(&scenario.beside(path)).map_err(|error| {
            let value = format!("\"{}\"", path.display());
            scenario.source.of(
                "map",
                &value,
                error.to_string(),
                "a map in WKT or OpenStreetMap's XML",
            )
        })?;
        let roads = Arc::new(roads);
        self.0.insert(path.to_owned(), roads.clone());
        Ok(roads)
    }

    pub(super) fn model(
        &mut self,
        scenario: &Scenario,
        movement: &MovementFile,
        seed: u64,
        part: u32,
    ) -> Result<Box<dyn Model>, ScenarioError> {
        let points =
            |places: &[Place]| -> Vec<Point> { places.iter().map(|place| place.0).collect() };
        Ok(match movement {
            MovementFile::Clusters {
                centres,
                radius,
                speed: SpeedSpan(speed),
                pause: TimeSpan(pause),
            } => Box::new(Clusters {
                centres: points(centres),
                radius: radius.0,
                speed: *speed,
                pause: *pause,
            }),
            MovementFile::RandomWaypoint {
                area,
                speed: SpeedSpan(speed),
                pause: TimeSpan(pause),
            } => Box::new(RandomWaypoint {
                area: area.0,
                speed: *speed,
                pause: *pause,
            }),
            MovementFile::RandomWalk {
                area,
                speed: SpeedSpan(speed),
                step: MetreSpan(step),
            } => Box::new(RandomWalk {
                area: area.0,
                speed: *speed,
                step: *step,
            }),
            MovementFile::Roads {
                map,
                speed: SpeedSpan(speed),
                pause: TimeSpan(pause),
            } => Box::new(RoadsModel {
                roads: self.read(scenario, map)?,
                speed: *speed,
                pause: *pause,
            }),
            MovementFile::Route {
                stops,
                circular,
                speed: SpeedSpan(speed),
                halt: TimeSpan(halt),
                headway,
            } => Box::new(Route {
                stops: points(stops),
                circular: *circular,
                speed: *speed,
                halt: *halt,
                headway: headway.0,
            }),
            MovementFile::Stationary { places, area } => Box::new(Stationary {
                places: points(places),
                area: area.map_or(Area::sized(0.0, 0.0), |area| area.0),
                speed: WALKING,
            }),
            MovementFile::WorkingDay {
                homes,
                offices,
                office_count,
                evenings,
                evening_count,
                evening_share,
                evening_for,
                work_from,
                work_for,
                walk,
                drivers,
                drive,
                map,
            } => {
                let mut draws = Draws::shared(seed, Purpose::Places, part);
                let mut some = |area: &Area, count: u32| -> Vec<Point> {
                    (0..count.max(1)).map(|_| area.any(&mut draws)).collect()
                };
                Box::new(WorkingDay {
                    homes: homes.0,
                    offices: some(&offices.0, *office_count),
                    evenings: some(&evenings.0, *evening_count),
                    evening_share: *evening_share,
                    evening_for: evening_for.0,
                    work_from: work_from.0,
                    work_for: work_for.0,
                    walk: walk.0,
                    drivers: *drivers,
                    drive: drive.0,
                    roads: match map {
                        Some(map) => Some(self.read(scenario, map)?),
                        None => None,
                    },
                })
            }
        })
    }
}
