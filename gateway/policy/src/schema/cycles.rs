//! References that would never end.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use super::SchemaProblem;

/// How many parts of a schema may be looked at for one value of the data, following references.
const MAX_PARTS: u64 = 10_000;

/// The keywords whose schemas look at the same value, not at a part of it (JSON Schema Core
/// 2020-12, section 10.2), and whether each holds one schema, a list or a map of them.
const IN_PLACE: [&str; 9] = [
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
];

/// Refuses a schema in which a chain of references and keywords comes back to where it began
/// without going into the data, or grows out of proportion.
pub(super) fn check(schema: &Value) -> Result<(), SchemaProblem> {
    let mut nested = schema.as_object().into_iter().flat_map(Map::values);
    let named = |map: &Map<String, Value>| map.get("$id").is_some_and(Value::is_string);
    if let Some(id) = nested.find_map(|value| search(value, &named)?.get("$id")?.as_str()) {
        return Err(SchemaProblem::NotHere(id.to_owned()));
    }
    let mut walk = Walk {
        root: schema,
        counted: FxHashMap::default(),
        open: Vec::new(),
    };
    walk.every(schema)
}

struct Walk<'s> {
    root: &'s Value,
    /// How many parts are looked at from here, by the address of the part.
    counted: FxHashMap<*const Value, u64>,
    open: Vec<*const Value>,
}

impl<'s> Walk<'s> {
    /// Looks at all schemas there can be, which are all objects.
    fn every(&mut self, value: &'s Value) -> Result<(), SchemaProblem> {
        self.parts(value)?;
        match value {
            Value::Object(map) => map.values().try_for_each(|value| self.every(value)),
            Value::Array(list) => list.iter().try_for_each(|value| self.every(value)),
            _ => Ok(()),
        }
    }

    /// How many parts are looked at for one value.
    fn parts(&mut self, schema: &'s Value) -> Result<u64, SchemaProblem> {
        let Value::Object(map) = schema else {
            return Ok(1);
        };
        let address = std::ptr::from_ref(schema);
        if let Some(count) = self.counted.get(&address) {
            return Ok(*count);
        }
        if self.open.contains(&address) {
            return Err(SchemaProblem::Endless("$ref".to_owned()));
        }
        self.open.push(address);
        let mut count = 1_u64;
        for keyword in IN_PLACE {
            let parts = match map.get(keyword) {
                Some(Value::String(reference)) if keyword.ends_with("ef") => {
                    self.referred(reference)?
                }
                Some(Value::Array(list)) => list
                    .iter()
                    .try_fold(0_u64, |sum, part| Ok(sum + self.parts(part)?))?,
                Some(part) => self.parts(part)?,
                None => 0,
            };
            count = count.saturating_add(parts);
        }
        for keyword in ["dependentSchemas", "dependencies"] {
            for part in map
                .get(keyword)
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(|m| m.values())
            {
                count = count.saturating_add(self.parts(part)?);
            }
        }
        self.open.pop();
        if count > MAX_PARTS {
            return Err(SchemaProblem::TooManyRefs);
        }
        self.counted.insert(address, count);
        Ok(count)
    }

    fn referred(&mut self, reference: &str) -> Result<u64, SchemaProblem> {
        let root = self.root;
        let target = match reference.strip_prefix('#') {
            Some("") => Some(root),
            Some(pointer) if pointer.starts_with('/') => root.pointer(&decoded(pointer)),
            Some(anchor) => anchored(root, anchor),
            None => return Err(SchemaProblem::NotHere(reference.to_owned())),
        };
        match target {
            Some(target) => self.parts(target).map_err(|problem| match problem {
                SchemaProblem::Endless(_) => SchemaProblem::Endless(reference.to_owned()),
                other => other,
            }),
            // The compiler says what is wrong with a reference to nothing.
            None => Ok(1),
        }
    }
}

/// A fragment without its percent signs (RFC 3986 section 2.1).
fn decoded(pointer: &str) -> String {
    let mut parts = pointer.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let hex = part
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(hex.unwrap_or(b'%'));
        bytes.extend_from_slice(
            part.get(hex.map_or(0, |_| 2)..)
                .unwrap_or_default()
                .as_bytes(),
        );
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn anchored<'s>(value: &'s Value, anchor: &str) -> Option<&'s Value> {
    search(value, &|map| {
        ["$anchor", "$dynamicAnchor"]
            .iter()
            .any(|k| map.get(*k).and_then(Value::as_str) == Some(anchor))
    })
}

fn search<'s>(value: &'s Value, fits: &impl Fn(&Map<String, Value>) -> bool) -> Option<&'s Value> {
    match value {
        Value::Object(map) if fits(map) => Some(value),
        Value::Object(map) => map.values().find_map(|value| search(value, fits)),
        Value::Array(list) => list.iter().find_map(|value| search(value, fits)),
        _ => None,
    }
}
