//! The working day: home, office, evening, home.

use std::sync::Arc;

use super::model::{Model, Moment, Span};
use super::roads::{Roads, follow};
use super::space::{Area, Leg, Point};

/// Seconds of a day.
const DAY: f64 = 86_400.0;
/// How far people move about in an office or a pub, in metres.
const ROOM: f64 = 10.0;
/// Seconds at a desk or a table.
const SEATED: Span = Span::new(60.0, 1800.0);
/// Metres a second between desks.
const STROLL: f64 = 1.0;

/// The working day (after Ekman and others, *Working Day Movement Model*, MobilityModels 2008): people sleep at home, go to
/// their office in the morning, move between desks, some go out in the evening, all go home. The run begins at midnight.
/// It differs from the paper: buses are not modelled; drivers have a vehicle of their own.
pub struct WorkingDay {
    /// Where people live.
    pub homes: Area,
    /// The offices.
    pub offices: Vec<Point>,
    /// Places to go to in the evening.
    pub evenings: Vec<Point>,
    /// Which part goes out.
    pub evening_share: f64,
    /// For how many seconds.
    pub evening_for: Span,
    /// When one leaves for work, in seconds after midnight; each has a time of its own.
    pub work_from: Span,
    /// Seconds of work; each has a time of its own.
    pub work_for: Span,
    /// Metres a second on foot.
    pub walk: Span,
    /// Which part drives.
    pub drivers: f64,
    /// Metres a second by car.
    pub drive: Span,
    /// The map to follow; straight ways without.
    pub roads: Option<Arc<Roads>>,
}

/// What someone is doing. The day is counted in steps of [`STEPS`].
const AT_HOME: u32 = 0;
const TO_WORK: u32 = 1;
const AT_WORK: u32 = 2;
const TO_EVENING: u32 = 3;
const IN_THE_EVENING: u32 = 4;
const TO_HOME: u32 = 5;
const STEPS: u32 = 6;

/// What is drawn once for each person; evenings begin where these end.
const HOME: u32 = 0;
const OFFICE: u32 = 1;
const HOURS: u32 = 2;
const PACE: u32 = 3;
const EVENINGS: u32 = 16;

impl WorkingDay {
    fn home(&self, moment: &Moment<'_>) -> Point {
        self.homes.any(&mut moment.lasting(HOME))
    }

    fn office(&self, moment: &Moment<'_>) -> Point {
        let any = moment.lasting(OFFICE).below(self.offices.len());
        self.offices.get(any).copied().unwrap_or_default()
    }

    /// Where this evening is spent, and for how long; nowhere on some.
    fn evening(&self, moment: &Moment<'_>, day: u32) -> Option<(Point, f64)> {
        let mut draws = moment.lasting(EVENINGS + day);
        let spot = self
            .evenings
            .get(draws.below(self.evenings.len()))
            .copied()?;
        let seconds = self.evening_for.any(&mut draws);
        draws.chance(self.evening_share).then_some((spot, seconds))
    }

    fn speed(&self, moment: &Moment<'_>) -> f64 {
        let mut draws = moment.lasting(PACE);
        if draws.chance(self.drivers) {
            self.drive.any(&mut draws)
        } else {
            self.walk.any(&mut draws)
        }
    }

    /// One leg of the way there; nothing once there.
    fn travel(&self, moment: &mut Moment<'_>, to: Point) -> Option<Leg> {
        if moment.place == to {
            moment.memory.way.clear();
            return None;
        }
        if moment.memory.way.is_empty() {
            moment.memory.way.push(to);
            if let Some(roads) = &self.roads {
                moment.memory.way.extend(roads.way(moment.place, to));
            }
        }
        let speed = self.speed(moment);
        Some(follow(moment, speed))
    }

    /// Between tables near a place, until then; nothing once it is late.
    fn about(&self, moment: &mut Moment<'_>, centre: Point, until: f64) -> Option<Leg> {
        let left = until - moment.seconds();
        if left <= 0.0 {
            return None;
        }
        let draws = &mut moment.draws;
        if draws.chance(0.5) {
            let seconds = SEATED.any(draws).min(left);
            return Some(Leg::stay(moment.now, moment.place, seconds));
        }
        let radius = ROOM;
        let to = Area::Disc { centre, radius }.any(draws);
        Some(Leg::walk(moment.now, moment.place, to, STROLL))
    }
}

impl Model for WorkingDay {
    fn place(&self, moment: &mut Moment<'_>) -> Point {
        self.home(moment)
    }

    fn next(&self, moment: &mut Moment<'_>) -> Leg {
        let mut hours = moment.lasting(HOURS);
        let (from, length) = (
            self.work_from.any(&mut hours),
            self.work_for.any(&mut hours),
        );
        // Each step either has a leg or is over; a night always has one.
        for _ in 0..=STEPS {
            let day = moment.memory.phase / STEPS;
            let morning = f64::from(day) * DAY + from;
            let evening = self.evening(moment, day);
            let leg = match moment.memory.phase % STEPS {
                AT_HOME => {
                    let left = morning - moment.seconds();
                    (left > 0.0).then(|| Leg::stay(moment.now, moment.place, left))
                }
                TO_WORK => self.travel(moment, self.office(moment)),
                AT_WORK => self.about(moment, self.office(moment), morning + length),
                TO_EVENING => evening.and_then(|(spot, _)| self.travel(moment, spot)),
                IN_THE_EVENING => evening.and_then(|(spot, seconds)| {
                    self.about(moment, spot, morning + length + seconds)
                }),
                TO_HOME => self.travel(moment, self.home(moment)),
                _ => None,
            };
            match leg {
                Some(leg) => return leg,
                None => moment.memory.phase += 1,
            }
        }
        Leg::stay(moment.now, moment.place, 1.0)
    }
}
