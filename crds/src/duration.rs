use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// What the schema accepts: one or more numbers, each with a unit, or a bare zero.
pub(crate) const PATTERN: &str = r"^(0|([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+)$";

/// The longest text a duration may have. It bounds the cost of CEL rules about durations.
const MAX_LENGTH: usize = 32;

/// The longest duration, in hours: ten years. It is far below what Go can hold, so that sums of
/// durations are safe everywhere.
const MAX_HOURS: u64 = 87_600;

/// The units from the largest to the smallest, with their length in nanoseconds.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A length of time, written as Go writes it: `25s`, `2m`, `1h30m`, `500ms`.
///
/// It is never negative and at most ten years (`87600h`). Fractions are accepted (`1.5h`), down to
/// the nanosecond; what is printed has whole numbers only, the largest unit first, and reads back
/// as the same value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(std::time::Duration);

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(std::time::Duration::ZERO);

    /// A duration of whole seconds.
    pub const fn from_secs(seconds: u32) -> Self {
        Self(std::time::Duration::from_secs(seconds as u64))
    }

    /// A duration of whole milliseconds.
    pub const fn from_millis(milliseconds: u32) -> Self {
        Self(std::time::Duration::from_millis(milliseconds as u64))
    }

    /// The same length as the standard library's type.
    pub const fn as_std(self) -> std::time::Duration {
        self.0
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}

/// Why a text is not a [`Duration`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseDurationError {
    /// The text does not have the form of a duration.
    #[error("{0:?} is not a duration; write it as Go does, for example {1}")]
    Malformed(String, String),
    /// The text has the right form, but means more than ten years.
    #[error("{0:?} is too long; write 87600h (ten years) or less")]
    TooLong(String),
}

impl FromStr for Duration {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ParseDurationError::Malformed(shortened(text), example_for(text));
        if text == "0" {
            return Ok(Self::ZERO);
        }
        if text.is_empty() || text.len() > MAX_LENGTH {
            return Err(malformed());
        }
        let mut rest = text;
        let mut nanos: u128 = 0;
        while !rest.is_empty() {
            let (part, after) = parse_part(rest).ok_or_else(malformed)?;
            nanos = nanos.saturating_add(part);
            rest = after;
        }
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        if nanos > MAX_HOURS * UNITS[0].1 {
            return Err(ParseDurationError::TooLong(text.to_owned()));
        }
        Ok(Self(std::time::Duration::from_nanos(nanos)))
    }
}

/// Reads one number with its unit; returns its nanoseconds and the rest of the text.
fn parse_part(text: &str) -> Option<(u128, &str)> {
    let (whole, rest) = split_digits(text)?;
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => split_digits(rest)?,
        None => ("", rest),
    };
    let unit_length = rest
        .find(|c: char| !c.is_ascii_lowercase())
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_length);
    let scale = u128::from(UNITS.iter().find(|(name, _)| *name == unit)?.1);
    let mut nanos = whole.parse::<u128>().ok()?.saturating_mul(scale);
    let mut place = scale;
    for digit in fraction.bytes() {
        place /= 10;
        nanos += u128::from(digit - b'0') * place;
    }
    Some((nanos, rest))
}

fn split_digits(text: &str) -> Option<(&str, &str)> {
    let length = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (length > 0).then(|| text.split_at(length))
}

fn shortened(text: &str) -> String {
    text.chars().take(2 * MAX_LENGTH).collect()
}

/// An example near to what was meant: the number that was written, with a unit that exists.
fn example_for(text: &str) -> String {
    let general = || "25s or 1h30m".to_owned();
    let Some((number, unit)) = split_digits(text.trim()) else {
        return general();
    };
    let Ok(number) = number.parse::<u16>() else {
        return general();
    };
    let unit = unit.trim().to_ascii_lowercase();
    let units = [
        ("mil", "ms"),
        ("ms", "ms"),
        ("m", "m"),
        ("s", "s"),
        ("h", "h"),
    ];
    match units.iter().find(|(start, _)| unit.starts_with(start)) {
        Some((_, unit)) => format!("{number}{unit}"),
        None if unit.is_empty() => format!("{number}s"),
        None if unit.starts_with('d') => format!("{}h", u32::from(number) * 24),
        None => general(),
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut nanos = self.0.as_nanos();
        if nanos == 0 {
            return f.write_str("0s");
        }
        for (unit, scale) in UNITS {
            let scale = u128::from(scale);
            if nanos >= scale {
                write!(f, "{}{unit}", nanos / scale)?;
                nanos %= scale;
            }
        }
        Ok(())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": PATTERN,
            "maxLength": MAX_LENGTH,
            "x-kubernetes-validations": [{
                "rule": format!("duration(self) <= duration('{MAX_HOURS}h')"),
                "message": format!("a duration is at most {MAX_HOURS}h (ten years)"),
            }],
        })
    }
}

#[cfg(test)]
mod tests;
