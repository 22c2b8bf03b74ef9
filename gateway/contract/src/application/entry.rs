//! Writing entries.

use std::fmt::{Display, Write as _};

/// An entry to be written: its fields in their order, then its bodies.
#[derive(Debug)]
pub struct Entry<'a> {
    kind: &'static str,
    fields: String,
    bodies: Vec<&'a [u8]>,
}

impl<'a> Entry<'a> {
    /// One of a kind.
    pub fn new(kind: &'static str) -> Self {
        Self {
            kind,
            fields: String::new(),
            bodies: Vec::new(),
        }
    }

    /// With a number as the next field.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.field(number)
    }

    /// With a number as the next field, if there is one.
    #[must_use]
    pub fn maybe(self, number: Option<u64>) -> Self {
        match number {
            Some(number) => self.number(number),
            None => self.none(),
        }
    }

    /// With a word as the next field, which has neither spaces nor line ends.
    #[must_use]
    pub fn text(self, word: &str) -> Self {
        debug_assert!(!word.contains([' ', '\n']), "a field is one word");
        self.field(word)
    }

    /// With nothing as the next field.
    #[must_use]
    pub fn none(self) -> Self {
        self.field('-')
    }

    fn field(mut self, value: impl Display) -> Self {
        // Writing to a string cannot fail.
        let _ = write!(self.fields, " {value}");
        self
    }

    /// With another body.
    #[must_use]
    pub fn body(mut self, body: &'a [u8]) -> Self {
        self.bodies.push(body);
        self
    }

    /// With more bodies.
    #[must_use]
    pub fn bodies<B: AsRef<[u8]> + 'a>(mut self, bodies: &'a [B]) -> Self {
        self.bodies.extend(bodies.iter().map(AsRef::as_ref));
        self
    }

    /// Writes it behind what is there.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.kind.as_bytes());
        out.push(b' ');
        let mut lengths = String::new();
        for body in &self.bodies {
            let comma = if lengths.is_empty() { "" } else { "," };
            let _ = write!(lengths, "{comma}{}", body.len());
        }
        let lengths = if lengths.is_empty() { "-" } else { &lengths };
        out.extend_from_slice(lengths.as_bytes());
        out.extend_from_slice(self.fields.as_bytes());
        out.push(b'\n');
        for body in &self.bodies {
            out.extend_from_slice(body);
        }
    }
}
