//! Where attachments stand in a payload: `{"_placeholder":true,"num":0}`.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};

use super::Error;

/// Checks that every placeholder in `data` names one of the first `attachments` attachments.
///
/// A client that gets any other closes its connection, so one must never be passed on to a room.
/// The JSON is read whole, since a placeholder's key may be written with escapes.
pub fn placeholders(data: &str, attachments: usize) -> Result<(), Error> {
    let mut deserializer = serde_json::Deserializer::from_str(data);
    let mut misplaced = false;
    Walk {
        attachments: attachments as u64,
        misplaced: &mut misplaced,
    }
    .deserialize(&mut deserializer)
    .and_then(|_| deserializer.end())
    .map_err(|_| {
        if misplaced {
            Error::InvalidPlaceholder
        } else {
            Error::InvalidPayload
        }
    })
}

/// What a value can mean to the object that holds it.
#[derive(Clone, Copy, PartialEq)]
enum Value {
    True,
    Number(u64),
    Other,
}

/// A key that matters here; serde ignores all others without keeping them.
#[derive(Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "_placeholder")]
    Placeholder,
    #[serde(rename = "num")]
    Number,
    #[serde(other)]
    Other,
}

struct Walk<'a> {
    attachments: u64,
    misplaced: &'a mut bool,
}

impl Walk<'_> {
    fn inner(&mut self) -> Walk<'_> {
        Walk {
            attachments: self.attachments,
            misplaced: self.misplaced,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        while seq.next_element_seed(self.inner())?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let (mut is_placeholder, mut number) = (false, Value::Other);
        while let Some(key) = map.next_key()? {
            let value = map.next_value_seed(self.inner())?;
            match key {
                Key::Placeholder => is_placeholder = value == Value::True,
                Key::Number => number = value,
                Key::Other => {}
            }
        }
        let known = matches!(number, Value::Number(number) if number < self.attachments);
        if is_placeholder && !known {
            *self.misplaced = true;
            return Err(A::Error::custom("a placeholder without an attachment"));
        }
        Ok(Value::Other)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(if value { Value::True } else { Value::Other })
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }
}
