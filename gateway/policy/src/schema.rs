//! What a message's data must look like.

mod cycles;
mod meter;
mod metered;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jsonschema::{Draft, PatternOptions, Validator};
use rustc_hash::FxHashMap;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sluice_contract::Code;

use meter::{Meter, Rates};
use metered::{Metered, MeteredJson};

use crate::regular::PatternBudget;

/// The longest schema, as JSON.
pub const MAX_SCHEMA_BYTES: usize = 64 * 1024;

/// The largest regular expression in a schema, compiled.
const MAX_PATTERN_BYTES: usize = 1024 * 1024;

/// Steps that a check may take whatever the data; one is some 10 ns.
const MIN_STEPS: u64 = 100_000;

/// Steps that a check may take more for each byte of the data.
const STEPS_A_BYTE: u64 = 4;

/// Steps that finding out where data does not fit may take. Each can leave an error behind.
const DETAIL_STEPS: u64 = 4_000;

/// The JSON Schemas of a Room, one an event.
///
/// Draft 2020-12, with formats checked. A schema stands alone: it can refer to its own parts, but
/// nothing is ever fetched. Regular expressions are matched in linear time, which leaves out
/// look-around and back-references. The data is as large as the cluster's `payloadBytes` lets it
/// be, and nested 128 deep at most.
///
/// **Bounds.** Each look at a part of the data is a step, and more where a long text or a regular
/// expression is looked at. A check may take 100,000 steps, and four more for each byte of the
/// data: some 4 ms for 64 KiB. Data for which that is too few is refused.
#[derive(Debug, Default)]
pub struct Schemas {
    by_event: FxHashMap<Box<str>, Checked>,
}

/// A schema that was compiled.
#[derive(Debug)]
struct Checked {
    validator: Validator<MeteredJson>,
    rates: Rates,
}

/// Why a message's data is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The Room has schemas, and none for this event.
    #[error("the room has no event `{0}`: publish one that its Room lists under `schemas`")]
    UnknownEvent(String),
    /// The data is not what the event's schema asks for.
    #[error("the data does not fit the event's schema at `{path}`: {message}")]
    Data {
        /// Where in the data, as a JSON Pointer (RFC 6901); empty for the whole of it.
        path: String,
        /// What is wrong. It names values only in part.
        message: String,
    },
    /// Checking the data takes more steps than a check may.
    #[error(
        "checking the data against the event's schema takes too many steps: nest it less, or have the schema's alternatives tell themselves apart by a `const`"
    )]
    TooCostly,
}

impl SchemaError {
    /// The code that clients, counters and log lines know this by.
    pub fn code(&self) -> Code {
        match self {
            Self::UnknownEvent(_) => Code::EventUnknown,
            Self::Data { .. } => Code::SchemaViolation,
            Self::TooCostly => Code::SchemaTooCostly,
        }
    }
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaProblem {
    /// The schema is too long.
    #[error("the schema has {0} bytes, and 65536 is as many as it may have")]
    TooLong(usize),
    /// The text is no schema.
    #[error("`{path}` in the schema cannot be used: {message}")]
    Invalid {
        /// Where in the schema, as a JSON Pointer.
        path: String,
        /// What is wrong with it, for people.
        message: String,
    },
    /// The schema refers to itself without going into the data.
    #[error(
        "`{0}` leads back to itself without going into the data, so checking would never end: let it refer to a part of the data only"
    )]
    Endless(String),
    /// The schema refers to another document, or has another one inside.
    #[error(
        "`{0}` is another document, and a schema stands alone: put it under `$defs` and refer to it as `#/$defs/…`"
    )]
    NotHere(String),
    /// It is nested too deep, or its parts refer to one another in too long a chain.
    #[error(
        "the schema is nested more than 100 deep, or more than 32 of its parts follow on one another: make it flatter"
    )]
    TooDeep,
    /// The schema takes too long to check.
    #[error(
        "the schema refers to its parts so often that checking could take very long: refer to each part fewer times"
    )]
    TooManyRefs,
    /// The regular expressions of all Rooms are too large.
    #[error(
        "the regular expressions of all Rooms together take more than 64 MiB with those of this schema: repeat classes of characters fewer times"
    )]
    AllPatternsTooLarge,
}

impl Schemas {
    /// Compiles the schemas by event; each error comes with its event.
    pub fn compile(
        schemas: &BTreeMap<String, Map<String, Value>>,
    ) -> Result<Self, Vec<(String, SchemaProblem)>> {
        Self::compile_within(schemas, &mut PatternBudget::whole())
    }

    /// As [`compile`](Self::compile), where regular expressions may take no more than what is left.
    pub(crate) fn compile_within(
        schemas: &BTreeMap<String, Map<String, Value>>,
        left: &mut PatternBudget,
    ) -> Result<Self, Vec<(String, SchemaProblem)>> {
        let mut by_event = FxHashMap::default();
        let mut problems = Vec::new();
        for (event, schema) in schemas {
            match checked(&Value::Object(schema.clone()), left) {
                Ok(checked) => {
                    by_event.insert(event.as_str().into(), checked);
                }
                Err(problem) => problems.push((event.clone(), problem)),
            }
        }
        if problems.is_empty() {
            Ok(Self { by_event })
        } else {
            Err(problems)
        }
    }

    /// Whether there are none, so that every event and all data are let through.
    pub fn is_empty(&self) -> bool {
        self.by_event.is_empty()
    }

    /// Checks the data of an event. Without schemas everything fits; with some, an event that has
    /// none is refused.
    pub fn validate(&self, event: &str, data: &RawValue) -> Result<(), SchemaError> {
        if self.is_empty() {
            return Ok(());
        }
        let schema = self
            .by_event
            .get(event)
            .ok_or_else(|| SchemaError::UnknownEvent(shortened(event)))?;
        let value: Value = serde_json::from_str(data.get()).map_err(|error| SchemaError::Data {
            path: String::new(),
            message: shortened(&error.to_string()),
        })?;
        schema.check(&value, data.get().len())
    }
}

impl Checked {
    fn check(&self, value: &Value, bytes: usize) -> Result<(), SchemaError> {
        let steps = MIN_STEPS + STEPS_A_BYTE * bytes as u64;
        let meter = Meter::new(steps, self.rates);
        let fits = self.validator.is_valid(Metered::new(value, &meter));
        if meter.is_spent() {
            return Err(SchemaError::TooCostly);
        }
        if fits {
            Ok(())
        } else {
            Err(self.detail(value))
        }
    }

    /// Where the data does not fit. The library gathers what is wrong with every alternative at
    /// every depth, which can be far more than it looks at to know that something is.
    fn detail(&self, value: &Value) -> SchemaError {
        let meter = Meter::new(DETAIL_STEPS, self.rates);
        let found = self.validator.validate(Metered::new(value, &meter));
        match found {
            Err(error) if !meter.is_spent() => SchemaError::Data {
                path: shortened(error.instance_path().as_str()),
                message: shortened(&error.to_string()),
            },
            _ => SchemaError::Data {
                path: String::new(),
                message: "it fits none of the schema's alternatives".to_owned(),
            },
        }
    }
}

fn checked(schema: &Value, left: &mut PatternBudget) -> Result<Checked, SchemaProblem> {
    cycles::check(schema)?;
    let length = schema.to_string().len();
    if length > MAX_SCHEMA_BYTES {
        return Err(SchemaProblem::TooLong(length));
    }
    let rates = Rates::of(schema, left)?;
    let validator = jsonschema::options_for::<MeteredJson>()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN_BYTES))
        .offline()
        .build(schema)
        .map_err(|error| SchemaProblem::Invalid {
            path: error.instance_path().as_str().to_owned(),
            message: shortened(&error.to_string()),
        })?;
    Ok(Checked { validator, rates })
}

/// A text that a client or a log can take.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 256;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
