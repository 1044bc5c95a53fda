//! Points in time as XMPP writes them.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// A point in time: seconds since 1970-01-01T00:00:00Z, leap seconds not counted. From year 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// This many seconds after 1970 began (before, if negative); `None` outside the years 1 to 9999.
    pub const fn from_unix(seconds: i64) -> Option<Self> {
        if seconds < FIRST || seconds > LAST {
            None
        } else {
            Some(Self(seconds))
        }
    }

    /// Seconds since 1970 began.
    pub const fn as_unix(self) -> i64 {
        self.0
    }

    /// Reads a `DateTime` of XEP-0082 1.1, such as `2026-11-23T21:05:00.250+01:00`. Fractions of a second
    /// are dropped.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', time @ ..] = bytes else {
            return None;
        };
        let [h1, h2, b':', n1, n2, b':', s1, s2, zone @ ..] = time else {
            return None;
        };
        let year = digits(&[*y1, *y2, *y3, *y4])?;
        let month = digits(&[*m1, *m2]).filter(|month| (1..=12).contains(month))?;
        let day = digits(&[*d1, *d2]).filter(|day| (1..=days_of(year, month)).contains(day))?;
        let hour = digits(&[*h1, *h2]).filter(|hour| *hour < 24)?;
        let minute = digits(&[*n1, *n2]).filter(|minute| *minute < 60)?;
        let second = digits(&[*s1, *s2]).filter(|second| *second < 60)?;
        let offset = zone_offset(skip_fraction(zone)?)?;
        let days = days_before(year, month) + day - 1;
        Self::from_unix(days * DAY + hour * 3_600 + minute * 60 + second - offset)
    }
}

impl fmt::Display for Timestamp {
    /// As XEP-0082 writes it, in UTC: `2026-11-23T20:05:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        // Counted in the longest years forward and in the shortest backward, the guess is never too late.
        let longest = if days < 0 { 365 } else { 366 };
        let mut year = (1970 + days.div_euclid(longest)).max(1);
        while days_before(year + 1, 1) <= days {
            year += 1;
        }
        let mut month = 1;
        while month < 12 && days_before(year, month + 1) <= days {
            month += 1;
        }
        let day = days - days_before(year, month) + 1;
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let text: String =
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        f.pad(&text)
    }
}

const DAY: i64 = 86_400;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// Days from the start of 1970 to the start of a month.
const fn days_before(year: i64, month: i64) -> i64 {
    let past = year - 1;
    let leap_days = past / 4 - past / 100 + past / 400 - 477;
    let mut days = (year - 1970) * 365 + leap_days;
    let mut earlier = 1;
    while earlier < month {
        days += days_of(year, earlier);
        earlier += 1;
    }
    days
}

const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0_i64, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + i64::from(byte - b'0'))
    })
}

/// What is after `.123`, if that is there.
fn skip_fraction(text: &[u8]) -> Option<&[u8]> {
    let Some(fraction) = text.strip_prefix(b".") else {
        return Some(text);
    };
    let length = fraction
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if length == 0 {
        None
    } else {
        fraction.get(length..)
    }
}

/// `Z`, `+hh:mm` or `-hh:mm`, in seconds.
fn zone_offset(text: &[u8]) -> Option<i64> {
    match text {
        b"Z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let hours = digits(&[*h1, *h2]).filter(|hours| *hours < 24)?;
            let minutes = digits(&[*m1, *m2]).filter(|minutes| *minutes < 60)?;
            let offset = hours * 3_600 + minutes * 60;
            Some(if *sign == b'-' { -offset } else { offset })
        }
        _ => None,
    }
}
