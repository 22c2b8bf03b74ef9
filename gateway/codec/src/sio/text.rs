//! Text in JSON that may not be Unicode.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{Error, Visitor},
};

/// What stands for half of a surrogate pair.
const REPLACEMENT: char = '\u{FFFD}';

/// The text of a JSON string, borrowed where it has no escapes; `None` where `json` is no string.
///
/// JSON can say half of a surrogate pair (RFC 8259, section 8.2), as JavaScript writes an emoji that
/// was cut in two; U+FFFD stands for it, as where a browser sends such text.
pub fn text(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(inner.into());
    }
    let bytes = serde_json::Deserializer::from_str(json).deserialize_bytes(Bytes);
    bytes.ok().map(Cow::Owned)
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<String, E> {
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            // Half of a pair comes as three bytes, none of which begins a character, as UTF-8 would
            // have it if it allowed for such; 0xED is the first.
            if chunk.invalid() == [0xED] {
                text.push(REPLACEMENT);
            }
        }
        Ok(text)
    }
}
