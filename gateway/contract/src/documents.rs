//! How documents are told apart without saying them.

use sluice_util::Digest64;

/// What gateways call the documents that they work by, in
/// [`PolicyStatus::digest`](crate::PolicyStatus::digest): the same where their text is. It is the
/// first 64 bits of the SHA-256 (FIPS 180-4) of the text's UTF-8, as sixteen hexadecimal digits in
/// lower case.
///
/// ```
/// use sluice_contract::documents_digest;
///
/// assert_eq!(&*documents_digest(""), "e3b0c44298fc1c14");
/// ```
pub fn documents_digest(text: &str) -> Box<str> {
    Digest64::of(text).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_documents_is_the_same_in_every_version() {
        assert_eq!(&*documents_digest("abc"), "ba7816bf8f01cfea");
    }
}
