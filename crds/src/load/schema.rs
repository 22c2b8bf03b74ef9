//! Checks a value against a structural schema, which is what a `CustomResourceDefinition` has.

use serde_json::{Map, Value};

use super::problem::ProblemCode;
use super::suggest;
use super::wording::{describe, noun, type_hint};
use crate::duration::{self, Duration};

/// Something that is wrong with a value, with the path to it.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) path: String,
    pub(super) code: ProblemCode,
    pub(super) message: String,
}

/// Everything that is wrong with a value whose `null`s have been dropped.
pub(super) fn check(schema: &Value, value: &Value, path: &str) -> Vec<Finding> {
    let mut walk = Walk {
        findings: Vec::new(),
    };
    walk.node(schema, value, path);
    walk.findings
}

/// Drops each `null` whose field has a schema, as an API server does: it counts as absent.
pub(super) fn drop_nulls(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| !value.is_null() || property(schema, key).is_none());
            for (key, value) in map {
                if let Some(schema) = property(schema, key).or_else(|| map_values(schema)) {
                    drop_nulls(schema, value);
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else {
                return;
            };
            for item in items {
                drop_nulls(schema, item);
            }
        }
        _ => {}
    }
}

/// The path of a field of the value at `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match (path, key.chars().all(plain)) {
        ("", _) => key.to_owned(),
        (_, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[{key}]"),
    }
}

fn property<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    schema.get("properties")?.get(key)
}

fn map_values(schema: &Value) -> Option<&Value> {
    schema
        .get("additionalProperties")
        .filter(|values| values.is_object())
}

/// By what two entries of a list are the same, where it may have each but once: in a set the whole
/// entry, in a map of entries its first key.
fn same_entry<'v>(schema: &Value, item: &'v Value, other: &Value) -> Option<&'v Value> {
    let same = match schema.get("x-kubernetes-list-type")?.as_str()? {
        "set" => item == other,
        "map" => keys(schema).all(|key| item.get(key) == other.get(key)),
        _ => false,
    };
    same.then(|| keys(schema).find_map(|key| item.get(key)).unwrap_or(item))
}

/// The fields that name an entry of a list.
fn keys(schema: &Value) -> impl Iterator<Item = &str> {
    let keys = schema.get("x-kubernetes-list-map-keys");
    let keys = keys.and_then(Value::as_array).into_iter().flatten();
    keys.filter_map(Value::as_str)
}

fn is_set(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool) == Some(true)
}

struct Walk {
    findings: Vec<Finding>,
}

impl Walk {
    fn find(&mut self, path: &str, code: ProblemCode, message: String) {
        self.findings.push(Finding {
            path: path.to_owned(),
            code,
            message,
        });
    }

    fn node(&mut self, schema: &Value, value: &Value, path: &str) {
        if !self.has_type(schema, value, path) {
            return;
        }
        self.is_listed(schema, value, path);
        match value {
            Value::Object(map) => self.object(schema, map, path),
            Value::Array(items) => self.array(schema, items, path),
            Value::String(text) => self.text(schema, text, path),
            Value::Number(number) => self.number(schema, number, path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn has_type(&mut self, schema: &Value, value: &Value, path: &str) -> bool {
        let wanted = match schema.get("type").and_then(Value::as_str) {
            Some(wanted) => wanted,
            None if is_set(schema, "x-kubernetes-int-or-string") => "integer or string",
            None => return true,
        };
        let fits = match wanted {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "integer or string" => value.is_i64() || value.is_u64() || value.is_string(),
            _ => true,
        };
        if !fits {
            let message = format!(
                "{} is not {}{}",
                describe(value),
                noun(wanted),
                type_hint(wanted, value)
            );
            self.find(path, ProblemCode::WrongType, message);
        }
        fits
    }

    fn is_listed(&mut self, schema: &Value, value: &Value, path: &str) {
        let Some(allowed) = schema.get("enum").and_then(Value::as_array) else {
            return;
        };
        if !allowed.contains(value) {
            let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
            let hint = suggest::hint(value.as_str().unwrap_or_default(), &allowed);
            let message = format!("{} is not allowed here; {hint}", describe(value));
            self.find(path, ProblemCode::InvalidValue, message);
        }
    }

    fn object(&mut self, schema: &Value, map: &Map<String, Value>, path: &str) {
        for name in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let name = name.as_str().unwrap_or_default();
            if !map.contains_key(name) {
                let message = "this field is required; add it".to_owned();
                self.find(&join(path, name), ProblemCode::MissingField, message);
            }
        }
        self.within(
            schema,
            ["minProperties", "maxProperties"],
            map.len(),
            "entries",
            path,
        );
        for (key, value) in map {
            let path = join(path, key);
            match property(schema, key).or_else(|| map_values(schema)) {
                Some(schema) => self.node(schema, value, &path),
                None => self.unknown(schema, key, &path),
            }
        }
    }

    fn unknown(&mut self, schema: &Value, key: &str, path: &str) {
        let fields = schema.get("properties").and_then(Value::as_object);
        if is_set(schema, "x-kubernetes-preserve-unknown-fields")
            || schema.get("additionalProperties") == Some(&Value::Bool(true))
        {
            return;
        }
        let fields: Vec<&str> = fields
            .into_iter()
            .flat_map(Map::keys)
            .map(String::as_str)
            .collect();
        let message = format!("there is no such field; {}", suggest::hint(key, &fields));
        self.find(path, ProblemCode::UnknownField, message);
    }

    fn array(&mut self, schema: &Value, items: &[Value], path: &str) {
        self.within(
            schema,
            ["minItems", "maxItems"],
            items.len(),
            "entries",
            path,
        );
        for (index, item) in items.iter().enumerate() {
            let path = format!("{path}[{index}]");
            if let Some(schema) = schema.get("items") {
                self.node(schema, item, &path);
            }
            if let Some(key) = items[..index]
                .iter()
                .find_map(|other| same_entry(schema, item, other))
            {
                let message = format!("{} is listed twice; remove one", describe(key));
                self.find(&path, ProblemCode::Duplicate, message);
            }
        }
    }

    fn text(&mut self, schema: &Value, text: &str, path: &str) {
        if schema.get("pattern").and_then(Value::as_str) == Some(duration::PATTERN) {
            if let Err(error) = text.parse::<Duration>() {
                self.find(path, ProblemCode::InvalidValue, error.to_string());
            }
            return;
        }
        self.within(
            schema,
            ["minLength", "maxLength"],
            text.chars().count(),
            "characters",
            path,
        );
    }

    /// Checks a size against the two bounds that the schema may have for it.
    fn within(&mut self, schema: &Value, bounds: [&str; 2], size: usize, unit: &str, path: &str) {
        let [least, most] = bounds.map(|bound| schema.get(bound).and_then(Value::as_u64));
        let size = size as u64;
        if let Some(least) = least.filter(|least| size < *least) {
            let message = match (size, least) {
                (0, 1) => "this is empty; write something, or remove the field".to_owned(),
                _ => format!("this has {size} {unit}; the least is {least}"),
            };
            self.find(path, ProblemCode::OutOfBounds, message);
        }
        if let Some(most) = most.filter(|most| size > *most) {
            let message = format!("this has {size} {unit}; the most is {most}");
            self.find(path, ProblemCode::OutOfBounds, message);
        }
    }

    fn number(&mut self, schema: &Value, number: &serde_json::Number, path: &str) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let value = number.as_f64().unwrap_or(f64::NAN);
        if let Some(least) = bound("minimum").filter(|least| value < *least) {
            let message = format!("{number} is too small; write {least} or more");
            self.find(path, ProblemCode::OutOfBounds, message);
        }
        if let Some(most) = bound("maximum").filter(|most| value > *most) {
            let message = format!("{number} is too large; write {most} or less");
            self.find(path, ProblemCode::OutOfBounds, message);
        }
    }
}

#[cfg(test)]
mod tests;
