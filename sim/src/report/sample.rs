//! Means and how sure they are.

use std::fmt;

/// A mean and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The mean.
    pub mean: f64,
    /// Half of the 95 % confidence interval (Student's t); 0 for a single value.
    pub half: f64,
    /// How many values.
    pub count: usize,
}

/// Student's t for 97.5 %, by degrees of freedom from 1.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
];
/// The same for more of them: that of 31, a little too careful.
const STUDENT_MANY: f64 = 2.040;

impl Sample {
    /// Of these values; nothing of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let freedom = values.len().checked_sub(1)?;
        let half = freedom.checked_sub(1).map_or(0.0, |place| {
            let squares: f64 = values
                .iter()
                .map(|value| (value - mean) * (value - mean))
                .sum();
            let t = STUDENT.get(place).copied().unwrap_or(STUDENT_MANY);
            t * (squares / freedom as f64 / count).sqrt()
        });
        let count = values.len();
        Some(Self { mean, half, count })
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, letter) = unit(self.mean);
        f.write_str(&short(self.mean / unit))?;
        if self.half > 0.0 {
            write!(f, " ± {}", short(self.half / unit))?;
        }
        f.write_str(letter)
    }
}

/// A number as people read it: three digits that count, and a comma after each thousand; from 100,000 on in thousands, millions
/// and so on.
pub(super) fn number(value: f64) -> String {
    let (unit, letter) = unit(value);
    short(value / unit) + letter
}

/// In what a number is told.
fn unit(value: f64) -> (f64, &'static str) {
    match value.abs() {
        size if size >= 999.5e6 => (1e9, " G"),
        size if size >= 999.5e3 => (1e6, " M"),
        size if size >= 99.9995e3 => (1e3, " k"),
        _ => (1.0, ""),
    }
}

fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if size >= 999.5 {
        let whole = format!("{size:.0}");
        let mut text = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        return if value < 0.0 {
            format!("-{text}")
        } else {
            text
        };
    }
    let places = match size {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::{Sample, number};

    #[test]
    fn the_interval_is_students() {
        let sample = Sample::of(&[1.0, 2.0, 3.0]).unwrap();
        assert!((sample.mean - 2.0).abs() < 1e-12);
        assert!((sample.half - 4.303 / 3.0_f64.sqrt()).abs() < 1e-9);
        assert_eq!(Sample::of(&[5.0]).unwrap().half, 0.0);
        assert_eq!(Sample::of(&[]), None);
    }

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 0.12345, 1.5, 12.3456, 123.4, 31_828.0, -1_000.0].map(number);
        assert_eq!(
            shown,
            ["0", "0.123", "1.50", "12.3", "123", "31,828", "-1,000"]
        );
        let shown = [99_999.0, 999_400.0, 1_234_567.8, 6.84e10].map(number);
        assert_eq!(shown, ["99,999", "999 k", "1.23 M", "68.4 G"]);
        let sample = Sample {
            mean: 7_777_925.0,
            half: 525_123.0,
            count: 3,
        };
        assert_eq!(sample.to_string(), "7.78 ± 0.525 M");
    }
}
