//! References that would never end.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use super::SchemaProblem;

/// How many parts of a schema may be looked at for one value of the data, following references.
const MAX_PARTS: u64 = 1_000;

/// How many parts may follow on one another without going into the data.
const MAX_CHAIN: usize = 32;

/// How deep a schema may be nested.
const MAX_DEPTH: usize = 100;

/// Refuses a schema in which a chain of references and keywords comes back to where it began
/// without going into the data, or grows out of proportion.
pub(super) fn check(schema: &Value) -> Result<(), SchemaProblem> {
    depth_fits(schema, MAX_DEPTH)?;
    let mut walk = Walk {
        root: schema,
        known: FxHashMap::default(),
        open: Vec::new(),
    };
    walk.every(schema)
}

fn depth_fits(value: &Value, depth: usize) -> Result<(), SchemaProblem> {
    let depth = depth.checked_sub(1).ok_or(SchemaProblem::TooDeep)?;
    match value {
        Value::Object(map) => map.values().try_for_each(|value| depth_fits(value, depth)),
        Value::Array(list) => list.iter().try_for_each(|value| depth_fits(value, depth)),
        _ => Ok(()),
    }
}

/// What is looked at for one value, from some part on.
#[derive(Clone, Copy)]
struct Extent {
    /// How many parts.
    parts: u64,
    /// How many of them at most follow on one another.
    chain: usize,
}

struct Walk<'s> {
    root: &'s Value,
    known: FxHashMap<*const Value, Extent>,
    open: Vec<*const Value>,
}

impl<'s> Walk<'s> {
    /// Looks at all schemas there can be, which are all objects.
    fn every(&mut self, value: &'s Value) -> Result<(), SchemaProblem> {
        self.extent(value)?;
        match value {
            Value::Object(map) => {
                let id = map.get("$id").and_then(Value::as_str);
                if let Some(id) = id.filter(|_| !std::ptr::eq(value, self.root)) {
                    return Err(SchemaProblem::NotHere(id.to_owned()));
                }
                map.values().try_for_each(|value| self.every(value))
            }
            Value::Array(list) => list.iter().try_for_each(|value| self.every(value)),
            _ => Ok(()),
        }
    }

    fn extent(&mut self, schema: &'s Value) -> Result<Extent, SchemaProblem> {
        let mut extent = Extent { parts: 1, chain: 1 };
        let Value::Object(map) = schema else {
            return Ok(extent);
        };
        let address = std::ptr::from_ref(schema);
        if let Some(extent) = self.known.get(&address) {
            return Ok(*extent);
        }
        if self.open.contains(&address) {
            return Err(SchemaProblem::Endless("$ref".to_owned()));
        }
        if self.open.len() >= MAX_CHAIN {
            return Err(SchemaProblem::TooDeep);
        }
        self.open.push(address);
        for part in in_place(map) {
            let part = match part {
                InPlace::Reference(reference) => self.referred(reference)?,
                InPlace::Schema(part) => self.extent(part)?,
            };
            extent.parts = extent.parts.saturating_add(part.parts);
            extent.chain = extent.chain.max(part.chain + 1);
        }
        self.open.pop();
        if extent.parts > MAX_PARTS {
            return Err(SchemaProblem::TooManyRefs);
        }
        if extent.chain > MAX_CHAIN {
            return Err(SchemaProblem::TooDeep);
        }
        self.known.insert(address, extent);
        Ok(extent)
    }

    fn referred(&mut self, reference: &str) -> Result<Extent, SchemaProblem> {
        let root = self.root;
        let target = match reference.strip_prefix('#') {
            Some("") => Some(root),
            Some(pointer) if pointer.starts_with('/') => root.pointer(&decoded(pointer)),
            Some(anchor) => anchored(root, anchor),
            None => return Err(SchemaProblem::NotHere(reference.to_owned())),
        };
        match target {
            Some(target) => self.extent(target).map_err(|problem| match problem {
                SchemaProblem::Endless(_) => SchemaProblem::Endless(reference.to_owned()),
                other => other,
            }),
            // The compiler says what is wrong with a reference to nothing.
            None => Ok(Extent { parts: 1, chain: 1 }),
        }
    }
}

enum InPlace<'s> {
    Reference(&'s str),
    Schema(&'s Value),
}

/// The parts of a schema that look at the same value as it does (JSON Schema Core 2020-12,
/// section 10.2; `dependencies` is from earlier drafts).
fn in_place(map: &Map<String, Value>) -> Vec<InPlace<'_>> {
    let mut parts = Vec::new();
    for keyword in ["$ref", "$dynamicRef"] {
        parts.extend(
            map.get(keyword)
                .and_then(Value::as_str)
                .map(InPlace::Reference),
        );
    }
    for keyword in ["not", "if", "then", "else"] {
        parts.extend(map.get(keyword).map(InPlace::Schema));
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let list = map.get(keyword).and_then(Value::as_array);
        parts.extend(list.into_iter().flatten().map(InPlace::Schema));
    }
    for keyword in ["dependentSchemas", "dependencies"] {
        let schemas = map.get(keyword).and_then(Value::as_object);
        parts.extend(
            schemas
                .into_iter()
                .flat_map(Map::values)
                .map(InPlace::Schema),
        );
    }
    parts
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
    let is_it = |keyword: &str, map: &Map<String, Value>| {
        map.get(keyword).and_then(Value::as_str) == Some(anchor)
    };
    match value {
        Value::Object(map) if is_it("$anchor", map) || is_it("$dynamicAnchor", map) => Some(value),
        Value::Object(map) => map.values().find_map(|value| anchored(value, anchor)),
        Value::Array(list) => list.iter().find_map(|value| anchored(value, anchor)),
        _ => None,
    }
}
