mod parse;

use std::borrow::Cow;
use std::fmt;

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
