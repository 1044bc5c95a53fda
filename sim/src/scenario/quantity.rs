//! Quantities of a scenario as people write them: `30m`, `0.5..1.5m/s`, `1500m x 1500m`.

use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer};

use crate::draws::Draws;
use crate::event::SimTime;
use crate::movement::{Area, Point, Span};
use crate::units::{self, Rate};

/// A distance: `30m` or `1.5km`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metres(pub f64);

/// A time: `12h`, `5min`, `0.1s`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seconds(pub f64);

/// A power: `30mW` or `1.5W`, in milliwatts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power(pub f64);

/// A rate: `40kB/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferRate(pub Rate);

/// A size: `5MB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// Sizes: `5kB..10kB`, or one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeSpan(pub u64, pub u64);

/// Times: `0s..2min`, or one time; in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeSpan(pub Span);

/// Speeds: `0.5..1.5m/s` or `30..50km/h`, or one speed; in metres a second, never 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpeedSpan(pub Span);

/// Distances: `0..50m`, or one distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetreSpan(pub Span);

/// A place: `200m,350m`, to the east and to the north.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place(pub Point);

/// An area: `1500m x 1000m`, the same `at 200m,300m` (its south-western corner), or `disc 50m at 200m,300m`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region(pub Area);

impl Seconds {
    /// As a point of simulated time.
    pub fn as_time(self) -> SimTime {
        SimTime::from_micros((self.0 * 1e6) as u64)
    }
}

impl TimeSpan {
    /// Seconds, any of them.
    pub fn any(self, draws: &mut Draws) -> f64 {
        self.0.any(draws)
    }
}

impl SizeSpan {
    /// Bytes, any of them, both ends included.
    pub fn any(self, draws: &mut Draws) -> u64 {
        let choices = (self.1 - self.0).saturating_add(1);
        self.0 + draws.below(choices as usize) as u64
    }
}

/// A text that is not the quantity that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}`: expected {1}")]
pub struct QuantityError(String, &'static str);

fn number(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

fn with_unit(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let text = text.trim();
    units
        .iter()
        .find_map(|(unit, factor)| Some(number(text.strip_suffix(unit)?)? * factor))
}

/// `a..b` with the unit at both or at the end only, or one value.
fn span(text: &str, one: impl Fn(&str) -> Option<f64>, units: &[&str]) -> Option<Span> {
    let Some((least, most)) = text.split_once("..") else {
        return one(text).map(|value| Span::new(value, value));
    };
    let unit = units.iter().find(|unit| most.trim().ends_with(**unit))?;
    let least = one(least).or_else(|| one(&format!("{}{unit}", least.trim())))?;
    let span = Span::new(least, one(most)?);
    (span.least <= span.most).then_some(span)
}

fn metres(text: &str) -> Option<f64> {
    with_unit(text, &[("km", 1000.0), ("m", 1.0)])
}

fn seconds(text: &str) -> Option<f64> {
    let duration = units::duration(text.trim()).ok()?;
    Some(duration.as_secs_f64())
}

fn speed(text: &str) -> Option<f64> {
    with_unit(text, &[("km/h", 1.0 / 3.6), ("m/s", 1.0)]).filter(|speed| *speed > 0.0)
}

fn size(text: &str) -> Option<u64> {
    units::byte_count(text.trim()).ok().map(|size| size.get())
}

fn point(text: &str) -> Option<Point> {
    let (x, y) = text.split_once(',')?;
    let signed = |text: &str| {
        let text = text.trim();
        match text.strip_prefix('-') {
            Some(text) => metres(text).map(|metres| -metres),
            None => metres(text),
        }
    };
    Some(Point::new(signed(x)?, signed(y)?))
}

fn area(text: &str) -> Option<Area> {
    let (shape, at) = match text.split_once(" at ") {
        Some((shape, at)) => (shape, point(at)?),
        None => (text, Point::default()),
    };
    if let Some(radius) = shape.strip_prefix("disc ") {
        return Some(Area::Disc {
            centre: at,
            radius: metres(radius)?,
        });
    }
    let (width, height) = shape.split_once(" x ")?;
    Some(Area::Rectangle {
        from: at,
        to: at.plus(Point::new(metres(width)?, metres(height)?)),
    })
}

/// Reads a quantity from its text, and says what was expected where it is none.
macro_rules! quantity {
    ($($name:ident: $read:expr, $expected:literal;)+) => {$(
        impl FromStr for $name {
            type Err = QuantityError;

            fn from_str(text: &str) -> Result<Self, QuantityError> {
                let read: fn(&str) -> Option<$name> = $read;
                read(text).ok_or_else(|| QuantityError(text.to_owned(), $expected))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )+};
}

quantity! {
    Metres: |text| metres(text).map(Metres), "a distance such as 30m or 1.5km";
    Seconds: |text| seconds(text).map(Seconds), "a time such as 12h, 5min or 0.1s";
    Power: |text| with_unit(text, &[("mW", 1.0), ("W", 1000.0)]).map(Power), "a power such as 30mW";
    TransferRate: |text| text.parse().ok().map(TransferRate), "a rate such as 40kB/s";
    Size: |text| size(text).map(Size), "a size such as 5MB";
    SizeSpan: size_span, "a size such as 5kB, or a span such as 5kB..10kB";
    TimeSpan: |text| span(text, seconds, &["us", "ms", "min", "s", "h", "d"]).map(TimeSpan),
        "a time such as 30s, or a span such as 0s..2min";
    SpeedSpan: |text| span(text, speed, &["km/h", "m/s"]).map(SpeedSpan),
        "a speed above 0 such as 1.4m/s, or a span such as 0.5..1.5m/s";
    MetreSpan: |text| span(text, metres, &["km", "m"]).map(MetreSpan),
        "a distance such as 30m, or a span such as 10m..50m";
    Place: |text| point(text).map(Place), "a place such as 200m,350m";
    Region: |text| area(text).map(Region),
        "an area such as `1500m x 1000m`, `300m x 200m at 50m,50m` or `disc 50m at 200m,300m`";
}

fn size_span(text: &str) -> Option<SizeSpan> {
    let Some((least, most)) = text.split_once("..") else {
        return size(text).map(|size| SizeSpan(size, size));
    };
    let span = SizeSpan(size(least)?, size(most)?);
    (span.0 <= span.1).then_some(span)
}
