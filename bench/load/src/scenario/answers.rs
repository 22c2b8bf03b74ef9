//! The acknowledgements of publications: a benchmark whose publications are refused is none.

use crate::error::LoadError;
use crate::net::setup;
use crate::wire::packet;

/// Counts answers, and keeps the first refusal.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    refused: u64,
    first: Option<String>,
}

impl Answers {
    /// Takes note of an acknowledgement; whether it was `ok`.
    pub(crate) fn take(&mut self, answer: &[u8]) -> bool {
        let ok = packet::is_ok(answer);
        if !ok {
            self.refused += 1;
            self.first.get_or_insert_with(|| setup::text(answer));
        }
        ok
    }

    /// An error if any publication was refused.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        match &self.first {
            Some(first) => Err(LoadError::Refused {
                count: self.refused,
                first: first.clone(),
            }),
            None => Ok(()),
        }
    }
}
