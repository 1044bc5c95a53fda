//! Time as the cores know it: monotonic microseconds handed in by whoever drives them. Wall time does not
//! exist here.

use core::fmt;

/// A moment on the driver's monotonic clock, in microseconds since a start that means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The start of the clock.
    pub const ZERO: Self = Self(0);
    /// A moment that never comes.
    pub const NEVER: Self = Self(u64::MAX);

    /// This many microseconds after the start.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the start.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time that has passed since `earlier`; zero if it lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    /// The moment `duration` later, or [`Instant::NEVER`].
    pub const fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }
}

/// A span of time in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

impl Duration {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// This many microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// This many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// This many seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// This many minutes.
    pub const fn from_minutes(minutes: u64) -> Self {
        Self::from_secs(minutes.saturating_mul(60))
    }

    /// This many hours.
    pub const fn from_hours(hours: u64) -> Self {
        Self::from_minutes(hours.saturating_mul(60))
    }

    /// This many days of 24 hours.
    pub const fn from_days(days: u64) -> Self {
        Self::from_hours(days.saturating_mul(24))
    }

    /// Microseconds.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The sum, or the longest span.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `factor` times the span, or the longest span.
    pub const fn saturating_mul(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

/// How long an envelope has been under way, as far as its holders know: each adds its own powered, monotonic
/// dwell. It can be too small (time spent switched off does not count), never too large by an honest holder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age(Duration);

impl Age {
    /// Just made.
    pub const NEW: Self = Self(Duration::ZERO);
    /// The largest age that is told apart, in minutes; anything above is read as this.
    pub const MAX_MINUTES: u32 = 60 * 24 * 60;

    /// Reads an age off the wire, clamped to [`Age::MAX_MINUTES`].
    pub const fn from_wire(minutes: u32) -> Self {
        let minutes = if minutes > Self::MAX_MINUTES {
            Self::MAX_MINUTES
        } else {
            minutes
        };
        Self(Duration::from_minutes(minutes as u64))
    }

    /// The age as it is sent: whole minutes, rounded down, at most [`Age::MAX_MINUTES`].
    pub const fn to_wire(self) -> u32 {
        let minutes = self.0.as_secs() / 60;
        if minutes > Self::MAX_MINUTES as u64 {
            Self::MAX_MINUTES
        } else {
            minutes as u32
        }
    }

    /// This age.
    pub const fn from_duration(duration: Duration) -> Self {
        Self(duration)
    }

    /// The age as a span of time.
    pub const fn as_duration(self) -> Duration {
        self.0
    }

    /// Older by the time spent with one holder.
    pub const fn after(self, dwell: Duration) -> Self {
        Self(self.0.saturating_add(dwell))
    }
}

/// How long an envelope may be under way: one of seven classes, so that it tells strangers little.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lifetime(u8);

impl Lifetime {
    /// One hour.
    pub const HOUR: Self = Self(0);
    /// Six hours.
    pub const SIX_HOURS: Self = Self(1);
    /// One day.
    pub const DAY: Self = Self(2);
    /// Three days.
    pub const THREE_DAYS: Self = Self(3);
    /// Seven days, the default.
    pub const WEEK: Self = Self(4);
    /// Fourteen days.
    pub const FORTNIGHT: Self = Self(5);
    /// Thirty days, the longest.
    pub const MONTH: Self = Self(6);

    /// The lifetime with this code; codes of later versions are kept as they are and live for
    /// thirty days.
    pub const fn from_code(code: u8) -> Self {
        Self(code)
    }

    /// The code on the wire.
    pub const fn code(self) -> u8 {
        self.0
    }

    /// The span it stands for.
    pub const fn as_duration(self) -> Duration {
        match self.0 {
            0 => Duration::from_hours(1),
            1 => Duration::from_hours(6),
            2 => Duration::from_days(1),
            3 => Duration::from_days(3),
            4 => Duration::from_days(7),
            5 => Duration::from_days(14),
            _ => Duration::from_days(30),
        }
    }

    /// The shortest lifetime of at least `span`, or [`Lifetime::MONTH`].
    pub fn at_least(span: Duration) -> Self {
        (0..=6)
            .map(Self)
            .find(|class| class.as_duration() >= span)
            .unwrap_or(Self::MONTH)
    }

    /// True once something of this lifetime and `age` is to be dropped.
    pub fn is_over(self, age: Age) -> bool {
        age.as_duration() >= self.as_duration()
    }
}

impl Default for Lifetime {
    fn default() -> Self {
        Self::WEEK
    }
}

impl fmt::Debug for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} h", self.as_duration().as_secs() / 3600)
    }
}
