//! JSON that counts each look at it, as the library for schemas takes it.
//!
//! The library has no bound on its work. It goes into data by these methods alone, though, and what
//! it does without them for one value is bounded when a schema is compiled. So a value that counts
//! how often it is looked at, and seems empty once that was too often, bounds every check.

use std::borrow::Cow;
use std::ops::ControlFlow;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, Node, NodeIdentity, Object, cmp, unique};
use serde_json::{Map, Number, Value};

use super::meter::{Meter, Rates};

/// The most elements that the library compares in pairs, where it hashes more.
const PAIRS: u64 = 16;

/// The representation, for the library.
pub(super) struct MeteredJson;

/// One value.
#[derive(Clone, Copy)]
pub(super) struct Metered<'a> {
    value: &'a Value,
    meter: &'a Meter,
}

impl<'a> Metered<'a> {
    pub(super) fn new(value: &'a Value, meter: &'a Meter) -> Self {
        Self { value, meter }
    }

    fn within<T>(&self, part: T) -> Within<'a, T> {
        Within {
            part,
            meter: self.meter,
        }
    }
}

/// A part of a value, and what counts the looks at it.
pub(super) struct Within<'a, T> {
    part: T,
    meter: &'a Meter,
}

impl Json for MeteredJson {
    type Node<'a> = Metered<'a>;
    type PreparedKey = String;
    type StringBuffer = ();

    const KEYS_PER_LOOKUP: usize = 2;
    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>((): &mut (), text: &str, f: impl FnOnce(Metered<'_>) -> T) -> T {
        let meter = Meter::new(super::MIN_STEPS, Rates::default());
        f(Metered::new(&Value::String(text.to_owned()), &meter))
    }
}

impl<'a> Node<'a, MeteredJson> for Metered<'a> {
    type Object = Within<'a, &'a Map<String, Value>>;
    type Array = Within<'a, &'a [Value]>;
    type Number = &'a Number;

    fn as_object(&self) -> Option<Self::Object> {
        let map = self.value.as_object()?;
        self.meter.take(1).then(|| self.within(map))
    }

    fn as_array(&self) -> Option<Self::Array> {
        let list = self.value.as_array()?;
        self.meter.take(1).then(|| self.within(list.as_slice()))
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        let text = self.value.as_str()?;
        self.meter
            .take_text(text.len())
            .then_some(Cow::Borrowed(text))
    }

    fn as_number(&self) -> Option<&'a Number> {
        let number = self.value.as_number()?;
        self.meter.take(1).then_some(number)
    }

    fn as_boolean(&self) -> Option<bool> {
        self.meter.take(1);
        self.value.as_bool()
    }

    fn is_null(&self) -> bool {
        self.meter.take(1);
        self.value.is_null()
    }

    fn is_number(&self) -> bool {
        self.meter.take(1);
        self.value.is_number()
    }

    fn json_type(&self) -> JsonType {
        self.meter.take(1);
        match self.value {
            Value::Null => JsonType::Null,
            Value::Bool(_) => JsonType::Boolean,
            Value::Number(_) => JsonType::Number,
            Value::String(_) => JsonType::String,
            Value::Array(_) => JsonType::Array,
            Value::Object(_) => JsonType::Object,
        }
    }

    fn string_length(&self) -> Option<u64> {
        let text = self.value.as_str()?;
        let fits = self.meter.take_whole(self.value, 1);
        fits.then(|| text.chars().count() as u64)
    }

    fn string_length_within(&self, min: u64, max: u64) -> Option<bool> {
        let bytes = self.value.as_str()?.len() as u64;
        // A character takes one to four bytes, which mostly says enough.
        if self.meter.take(1) && min <= bytes.div_ceil(4) && bytes <= max {
            return Some(true);
        }
        let length = self.string_length()?;
        Some((min..=max).contains(&length))
    }

    fn equals_value(&self, expected: &Value) -> bool {
        let same_size = match (self.value, expected) {
            (Value::Array(one), Value::Array(other)) => one.len() == other.len(),
            (Value::Object(one), Value::Object(other)) => one.len() == other.len(),
            (Value::String(one), Value::String(other)) => one.len() == other.len(),
            _ => return self.meter.take(1) && cmp::equal(self.value, expected),
        };
        self.meter.take(1)
            && same_size
            && self.meter.take_whole(expected, 1)
            && cmp::equal(self.value, expected)
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Borrowed(self.value)
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(
            std::ptr::from_ref::<Value>(self.value) as usize
        ))
    }
}

impl<'a> Object<'a, MeteredJson> for Within<'a, &'a Map<String, Value>> {
    type Node = Metered<'a>;
    type MemberName = &'a str;
    type MembersIter = Within<'a, serde_json::map::Iter<'a>>;

    fn len(&self) -> usize {
        self.part.len()
    }

    fn get(&self, key: &String) -> Option<Metered<'a>> {
        let fits = self.meter.take(1);
        let value = self.part.get(key.as_str()).filter(|_| fits)?;
        Some(Metered::new(value, self.meter))
    }

    fn members(&self) -> Self::MembersIter {
        Within {
            part: self.part.iter(),
            meter: self.meter,
        }
    }

    fn try_for_each_name_node<B>(
        &self,
        (): &mut (),
        mut f: impl FnMut(Metered<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        for (name, _) in self.members() {
            f(Metered::new(&Value::String(name.to_owned()), self.meter))?;
        }
        ControlFlow::Continue(())
    }
}

impl<'a> Iterator for Within<'a, serde_json::map::Iter<'a>> {
    type Item = (&'a str, Metered<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.part.next()?;
        let fits = self.meter.take_member(name);
        fits.then(|| (name.as_str(), Metered::new(value, self.meter)))
    }
}

impl<'a> Array<'a, MeteredJson> for Within<'a, &'a [Value]> {
    type Node = Metered<'a>;
    type ElementsIter = Within<'a, std::slice::Iter<'a, Value>>;

    fn len(&self) -> usize {
        self.part.len()
    }

    fn elements(&self) -> Self::ElementsIter {
        Within {
            part: self.part.iter(),
            meter: self.meter,
        }
    }

    fn is_unique(&self) -> bool {
        let times = PAIRS.min(self.part.len() as u64);
        let mut elements = self.part.iter();
        elements.all(|value| self.meter.take_whole(value, times)) && unique::is_unique(self.part)
    }
}

impl<'a> Iterator for Within<'a, std::slice::Iter<'a, Value>> {
    type Item = Metered<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let value = self.part.next()?;
        self.meter.take(1).then(|| Metered::new(value, self.meter))
    }
}
