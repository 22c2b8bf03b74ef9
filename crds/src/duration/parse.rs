use std::str::FromStr;

use super::{Duration, MAX_HOURS, MAX_LENGTH, ParseDurationError, UNITS};

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
