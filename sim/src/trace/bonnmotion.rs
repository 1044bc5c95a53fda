//! BonnMotion's movement: a line to a node, `t x y` again and again, straight in between.

use super::movement::MovementTrace;
use super::source::{self, Fault, Lines};
use crate::event::{SimTime, TraceError};
use crate::movement::{Leg, Point};

pub(super) fn movement(lines: &mut Lines) -> Result<MovementTrace, TraceError> {
    let mut ways = Vec::new();
    while let Some(line) = lines.next()? {
        let way = way(line);
        ways.push(way.map_err(|fault| lines.refuse(fault))?);
    }
    Ok(MovementTrace::new(ways))
}

fn way(line: &str) -> Result<Vec<Leg>, Fault> {
    let mut legs = Vec::new();
    let mut last: Option<(SimTime, Point)> = None;
    let mut fields = line.split_ascii_whitespace();
    while let Some(at) = fields.next() {
        let at = source::time(at)?;
        let mut coordinate = || match fields.next() {
            Some(field) => source::real(field),
            None => Err((
                "an unfinished way-point".to_owned(),
                "`t x y`, again and again",
            )),
        };
        let to = Point::new(coordinate()?, coordinate()?);
        match last {
            // A node that comes in later stands at its first place until then.
            None if at > SimTime::ZERO => legs.push(leg(SimTime::ZERO, at, to, to)),
            Some((start, from)) if at > start => legs.push(leg(start, at, from, to)),
            Some((start, from)) if at < start || from != to => {
                return Err((format!("{at} after {start}"), "times in order"));
            }
            _ => {}
        }
        if last.is_none() && at == SimTime::ZERO {
            // A node of one way-point has to begin somewhere.
            legs.push(leg(at, SimTime::from_micros(1), to, to));
            last = Some((SimTime::from_micros(1), to));
        } else {
            last = Some((at.max(last.map_or(at, |(then, _)| then)), to));
        }
    }
    Ok(legs)
}

const fn leg(start: SimTime, end: SimTime, from: Point, to: Point) -> Leg {
    Leg {
        start,
        end,
        from,
        to,
    }
}
