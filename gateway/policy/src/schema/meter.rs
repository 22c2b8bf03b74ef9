//! What a check of data may cost, counted while it runs.

use std::cell::Cell;

use serde_json::Value;

use super::{MAX_PATTERN_BYTES, SchemaProblem};
use crate::regular::{NoSize, PatternBudget};

/// Bytes of a text that are looked at in one step.
const BYTES_A_STEP: u64 = 16;

/// States of a regular expression that are followed, for one byte of a text, in one step.
const STATES_A_STEP: u64 = 16;

/// The states of a regular expression of which it is not known how many it has: as many as fit
/// into the bytes that it may have.
const UNKNOWN_STATES: u64 = MAX_PATTERN_BYTES as u64 / 50;

/// What texts and names cost with one schema.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rates {
    /// The states of its largest regular expression.
    states: u64,
    /// How many regular expressions a property's name may be matched with.
    name_patterns: u64,
}

impl Rates {
    /// What a schema's regular expressions come to, and takes what they need. Everything that could
    /// be one is taken for one.
    pub(super) fn of(schema: &Value, left: &mut PatternBudget) -> Result<Self, SchemaProblem> {
        let mut rates = Self::default();
        rates.note(schema, left)?;
        Ok(rates)
    }

    fn note(&mut self, value: &Value, left: &mut PatternBudget) -> Result<(), SchemaProblem> {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(pattern)) = map.get("pattern") {
                    self.note_pattern(pattern, left)?;
                }
                if let Some(Value::Object(patterns)) = map.get("patternProperties") {
                    self.name_patterns += patterns.len() as u64;
                    for pattern in patterns.keys() {
                        self.note_pattern(pattern, left)?;
                    }
                }
                map.values().try_for_each(|value| self.note(value, left))
            }
            Value::Array(list) => list.iter().try_for_each(|value| self.note(value, left)),
            _ => Ok(()),
        }
    }

    fn note_pattern(
        &mut self,
        pattern: &str,
        left: &mut PatternBudget,
    ) -> Result<(), SchemaProblem> {
        let states = match left.size_of_ascii(pattern, MAX_PATTERN_BYTES) {
            Ok(size) => size.states,
            Err(NoSize::AllTooLarge) => return Err(SchemaProblem::AllPatternsTooLarge),
            Err(NoSize::TooLarge) => UNKNOWN_STATES,
        };
        self.states = self.states.max(states);
        Ok(())
    }

    fn text(self, bytes: usize) -> u64 {
        let bytes = bytes as u64;
        bytes / BYTES_A_STEP + bytes.saturating_mul(self.states) / STATES_A_STEP
    }
}

/// The steps that are left for a check. Once they are used up, nothing is found in the data any
/// more, so that a check comes to its end.
pub(super) struct Meter {
    left: Cell<u64>,
    rates: Rates,
}

impl Meter {
    pub(super) fn new(steps: u64, rates: Rates) -> Self {
        Self {
            left: Cell::new(steps),
            rates,
        }
    }

    /// Takes steps, and says whether there were as many.
    pub(super) fn take(&self, steps: u64) -> bool {
        let left = self.left.get().saturating_sub(steps);
        self.left.set(left);
        left > 0
    }

    /// Takes what matching a text costs.
    pub(super) fn take_text(&self, bytes: usize) -> bool {
        self.take(1 + self.rates.text(bytes))
    }

    /// Takes what looking at one property costs, whose name may be matched too.
    pub(super) fn take_member(&self, name: &str) -> bool {
        match self.rates.name_patterns {
            0 => self.take(1),
            patterns => self.take(1 + patterns.saturating_mul(1 + self.rates.text(name.len()))),
        }
    }

    /// Takes what comparing or hashing all of a value costs, so many times.
    pub(super) fn take_whole(&self, value: &Value, times: u64) -> bool {
        match value {
            Value::String(text) => self.take(times * (1 + text.len() as u64 / BYTES_A_STEP)),
            Value::Array(list) => {
                self.take(times) && list.iter().all(|value| self.take_whole(value, times))
            }
            Value::Object(map) => {
                self.take(times)
                    && map.iter().all(|(name, value)| {
                        self.take(times * (name.len() as u64 / BYTES_A_STEP))
                            && self.take_whole(value, times)
                    })
            }
            _ => self.take(times),
        }
    }

    /// Whether the steps are used up, so that what a check has found means nothing.
    pub(super) fn is_spent(&self) -> bool {
        self.left.get() == 0
    }
}
