//! Claims as values, as far as an expression needs them.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use cel::Value;
use cel::objects::{Key, Map};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The claims that an expression reads.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Whether it reads `claims` as a whole.
    pub(super) whole: bool,
    /// The claims that it reads by name.
    pub(super) named: BTreeSet<String>,
}

/// What was found, in the order of the token.
#[derive(Default)]
pub(super) struct Found {
    pub(super) whole: Option<Value>,
    pub(super) named: Vec<(String, Value)>,
    /// Elements of all lists and maps in it.
    pub(super) count: u64,
}

impl Wanted {
    pub(super) fn is_nothing(&self) -> bool {
        !self.whole && self.named.is_empty()
    }

    /// Reads the wanted claims of a JSON object and passes over the others.
    pub(super) fn read(&self, json: &str) -> Result<Found, serde_json::Error> {
        serde_json::Deserializer::from_str(json).deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &Wanted {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
        let mut found = Found::default();
        let mut whole = HashMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let is_named = self.named.contains(&name);
            if !is_named && !self.whole {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value_seed(Json {
                count: &mut found.count,
            })?;
            if self.whole {
                found.count += 1;
                whole.insert(Key::String(Arc::new(name.clone())), value.clone());
            }
            if is_named {
                found.named.push((name, value));
            }
        }
        found.whole = self.whole.then(|| {
            Value::Map(Map {
                map: Arc::new(whole),
            })
        });
        Ok(found)
    }
}

/// Any JSON value. Whole numbers are `int`, as in Kubernetes, or `uint` beyond its range.
struct Json<'c> {
    count: &'c mut u64,
}

impl<'de> DeserializeSeed<'de> for Json<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Json<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::UInt(value), Value::Int))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(Arc::new(value.to_owned())))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(Arc::new(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Json { count: self.count })? {
            *self.count += 1;
            values.push(value);
        }
        Ok(Value::List(Arc::new(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = HashMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(Json { count: self.count })?;
            *self.count += 1;
            values.insert(Key::String(Arc::new(name)), value);
        }
        Ok(Value::Map(Map {
            map: Arc::new(values),
        }))
    }
}
