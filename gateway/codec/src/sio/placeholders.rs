//! Where attachments stand in a payload: `{"_placeholder":true,"num":0}`.

use serde::de::IgnoredAny;

use super::{Error, depth::too_deep, text};

/// Checks that every placeholder in `data` names one of the first `attachments` attachments.
///
/// A client that gets any other closes its connection, so one must never be passed on to a room.
/// The JSON is read whole, since a placeholder's key may be written with escapes. No string and no
/// number is turned into a value, so what no Rust type holds, as `1e400` or half an emoji, passes.
pub fn placeholders(data: &str, attachments: usize) -> Result<(), Error> {
    serde_json::from_str::<IgnoredAny>(data).map_err(|_| Error::InvalidPayload)?;
    if too_deep(data.as_bytes()) {
        return Err(Error::TooDeep);
    }
    let mut walk = Walk {
        attachments: attachments as u64,
        open: Vec::new(),
    };
    let mut rest = data;
    while let Some((token, after)) = token(rest) {
        walk.take(token)?;
        rest = after;
    }
    Ok(())
}

/// The next token of valid JSON, and what follows it. White space counts as one.
fn token(json: &str) -> Option<(&str, &str)> {
    let first = *json.as_bytes().first()?;
    let length = match first {
        b'"' => string(json),
        b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
        _ => json
            .find(['"', '{', '}', '[', ']', ',', ':'])
            .unwrap_or(json.len()),
    };
    json.split_at_checked(length)
}

/// The length of the string at the beginning of `json`, with its quotes.
fn string(json: &str) -> usize {
    let mut escaped = false;
    let ends = |byte: u8| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    };
    json.bytes().skip(1).position(ends).map_or(0, |at| at + 2)
}

/// A key that matters here.
#[derive(Default)]
enum Key {
    Placeholder,
    Number,
    #[default]
    Other,
}

/// What is known of an object that is not read to its end.
#[derive(Default)]
struct Object {
    /// The key of the value that comes; `None` where a key comes.
    key: Option<Key>,
    is_placeholder: bool,
    number: Option<u64>,
}

struct Walk {
    attachments: u64,
    /// The objects and arrays around the next token, `None` being an array.
    open: Vec<Option<Object>>,
}

impl Walk {
    fn take(&mut self, token: &str) -> Result<(), Error> {
        match token.as_bytes().first() {
            Some(b'{') => self.open.push(Some(Object::default())),
            Some(b'[') => self.open.push(None),
            Some(b'}' | b']') => self.close()?,
            Some(b',') => {
                if let Some(Some(object)) = self.open.last_mut() {
                    object.key = None;
                }
            }
            Some(b':') | None => {}
            Some(_) => self.scalar(token),
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        let known = |number: Option<u64>| number.is_some_and(|number| number < self.attachments);
        match self.open.pop().flatten() {
            Some(object) if object.is_placeholder && !known(object.number) => {
                Err(Error::InvalidPlaceholder)
            }
            _ => {
                self.value("");
                Ok(())
            }
        }
    }

    /// A key, or a value that holds no others.
    fn scalar(&mut self, token: &str) {
        let token = token.trim_ascii();
        if token.is_empty() {
            return;
        }
        if let Some(Some(object @ Object { key: None, .. })) = self.open.last_mut() {
            object.key = Some(match text(token).as_deref() {
                Some("_placeholder") => Key::Placeholder,
                Some("num") => Key::Number,
                _ => Key::Other,
            });
        } else {
            self.value(token);
        }
    }

    /// A value has ended; `token` where it is one that holds no others. Of a key that is given twice,
    /// the last counts.
    fn value(&mut self, token: &str) {
        let Some(Some(object)) = self.open.last_mut() else {
            return;
        };
        match object.key {
            Some(Key::Placeholder) => object.is_placeholder = token == "true",
            Some(Key::Number) => object.number = token.parse().ok(),
            Some(Key::Other) | None => {}
        }
    }
}
