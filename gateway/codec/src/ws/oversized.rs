//! A message over the bound, as far as it is kept.

/// How much of such a message is kept: enough to tell what it would have been.
pub(super) const HEAD: usize = 1024;

/// A message over the bound, which was passed over up to its end. The connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oversized<'a> {
    /// Whether it was a text message. Only the head of a text was looked at: the rest need not be UTF-8.
    pub is_text: bool,
    /// How it began: its first kibibyte, or less.
    pub head: &'a [u8],
    /// How long it was on the wire, in bytes; compressed ones were longer unpacked.
    pub bytes: usize,
}

impl<'a> Oversized<'a> {
    /// How a text message began, up to its last whole character. `None` for a binary message.
    ///
    /// ```
    /// use sluice_codec::ws::Oversized;
    ///
    /// let head = "[\"naïve".as_bytes();
    /// let cut = Oversized { is_text: true, head: &head[..5], bytes: 2_000_000 };
    /// assert_eq!(cut.text(), Some("[\"na"));
    /// ```
    pub fn text(&self) -> Option<&'a str> {
        let valid = match simdutf8::compat::from_utf8(self.head) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(self.head.get(..error.valid_up_to())?).ok()?,
        };
        self.is_text.then_some(valid)
    }
}
