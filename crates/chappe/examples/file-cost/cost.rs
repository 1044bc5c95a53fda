//! What the kernel counts: processor time of this process, and what crosses the loopback interface.

use std::error::Error;
use std::fmt;
use std::fs;
use std::ops::Sub;

/// Clock ticks in a second, which Linux counts processor time in (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Processor time of this process, all threads, in clock ticks.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    user: u64,
    system: u64,
}

impl Cpu {
    pub(crate) fn now() -> Result<Self, Box<dyn Error>> {
        let stat = fs::read_to_string("/proc/self/stat")?;
        // The name, in parentheses, may hold anything.
        let (_, rest) = stat.rsplit_once(") ").ok_or("no name in stat")?;
        let mut fields = rest.split(' ').skip(11);
        let mut field = || fields.next().ok_or("too few fields in stat");
        Ok(Self {
            user: field()?.parse()?,
            system: field()?.parse()?,
        })
    }

    /// Reads what its `Display` writes.
    pub(crate) fn parse(text: &str) -> Result<Self, Box<dyn Error>> {
        let (user, system) = text.split_once(' ').ok_or("one number only")?;
        Ok(Self {
            user: user.parse()?,
            system: system.parse()?,
        })
    }

    /// Milliseconds for each megabyte (10^6 bytes) of so many bytes.
    pub(crate) fn millis_per_mb(self, bytes: usize) -> f64 {
        millis_per_mb(self.user + self.system, bytes)
    }

    /// The same, in words.
    pub(crate) fn told_per_mb(self, bytes: usize) -> String {
        format!(
            "{:.1} ms of user and {:.1} ms of system time a MB",
            millis_per_mb(self.user, bytes),
            millis_per_mb(self.system, bytes)
        )
    }
}

fn millis_per_mb(ticks: u64, bytes: usize) -> f64 {
    ticks as f64 * 1_000.0 / TICKS / (bytes as f64 / 1e6)
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            user: self.user - before.user,
            system: self.system - before.system,
        }
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.user, self.system)
    }
}

/// What has crossed the loopback interface of this network namespace.
#[derive(Clone, Copy)]
pub(crate) struct Loopback {
    pub(crate) bytes: u64,
    pub(crate) frames: u64,
}

/// `None` where there are other interfaces: the loopback interface is everybody's there.
pub(crate) struct OnLoopback(Option<Loopback>);

impl Loopback {
    pub(crate) fn now() -> Result<OnLoopback, Box<dyn Error>> {
        let table = fs::read_to_string("/proc/self/net/dev")?;
        let mut rows = table.lines().skip(2);
        let (Some(row), None) = (rows.next(), rows.next()) else {
            return Ok(OnLoopback(None));
        };
        let (_, counters) = row.split_once(':').ok_or("a row without a name")?;
        let mut counters = counters.split_whitespace();
        let mut counter = || counters.next().ok_or("too few counters");
        Ok(OnLoopback(Some(Self {
            bytes: counter()?.parse()?,
            frames: counter()?.parse()?,
        })))
    }
}

impl Sub for OnLoopback {
    type Output = Option<Loopback>;

    fn sub(self, before: Self) -> Option<Loopback> {
        let (now, before) = (self.0?, before.0?);
        Some(Loopback {
            bytes: now.bytes - before.bytes,
            frames: now.frames - before.frames,
        })
    }
}
