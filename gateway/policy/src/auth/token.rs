//! The parts of a token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::AuthError;
use super::claims::Text;

/// The longest token that is looked at.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The longest header, as JSON. The longest that identity providers send have 200 bytes.
const MAX_HEADER_BYTES: usize = 1024;

/// The longest signature: RSA with 8192 bits.
const MAX_SIGNATURE_BYTES: usize = 1024;

/// A token in JWS compact form (RFC 7515 section 7.1), split but not checked.
pub(crate) struct Token<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
    /// What is signed: the header, a dot and the payload.
    pub(crate) signed: &'t str,
}

/// What a header says that matters here. The rest is passed over; a header that marks something
/// as critical is refused, since none of it is known (RFC 7515 section 4.1.11).
#[derive(Deserialize)]
pub(crate) struct Header<'h> {
    #[serde(borrow)]
    pub(crate) alg: Text<'h>,
    #[serde(borrow, default)]
    pub(crate) kid: Option<Text<'h>>,
    #[serde(default)]
    crit: Option<IgnoredAny>,
}

/// Room for a decoded header or signature, on the stack.
pub(crate) type Scratch = [u8; MAX_HEADER_BYTES];

pub(crate) const fn scratch() -> Scratch {
    [0; MAX_HEADER_BYTES]
}

impl<'t> Token<'t> {
    /// Splits a token into its three parts.
    pub(crate) fn split(token: &'t str) -> Result<Self, AuthError> {
        if token.is_empty() {
            return Err(AuthError::Missing);
        }
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::TooLarge);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(AuthError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(AuthError::Malformed)?;
        if payload.contains('.') {
            return Err(AuthError::Malformed);
        }
        Ok(Self {
            header,
            payload,
            signature,
            signed,
        })
    }

    /// The header, in `scratch`.
    pub(crate) fn header<'s>(&self, scratch: &'s mut Scratch) -> Result<Header<'s>, AuthError> {
        let json = decode_into(self.header, scratch)?;
        // A struct can also be read from a list, which is no header.
        if json.trim_ascii_start().first() != Some(&b'{') {
            return Err(AuthError::Malformed);
        }
        let header: Header<'s> = serde_json::from_slice(json).map_err(|_| AuthError::Malformed)?;
        if header.crit.is_some() {
            return Err(AuthError::Malformed);
        }
        Ok(header)
    }

    /// The signature, in `scratch`.
    pub(crate) fn signature<'s>(&self, scratch: &'s mut Scratch) -> Result<&'s [u8], AuthError> {
        const { assert!(MAX_SIGNATURE_BYTES <= MAX_HEADER_BYTES) };
        decode_into(self.signature, scratch)
    }

    /// The payload as text, in an allocation of its exact size.
    pub(crate) fn payload(&self) -> Result<Box<str>, AuthError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(self.payload)
            .map_err(|_| AuthError::Malformed)?;
        let text = String::from_utf8(bytes).map_err(|_| AuthError::Malformed)?;
        Ok(text.into_boxed_str())
    }
}

/// Decodes strictly: no padding, no line ends, and no bits left over, so that a token has one
/// form only.
fn decode_into<'s>(text: &str, scratch: &'s mut Scratch) -> Result<&'s [u8], AuthError> {
    let length = URL_SAFE_NO_PAD
        .decode_slice(text, scratch.as_mut_slice())
        .map_err(|_| AuthError::Malformed)?;
    scratch.get(..length).ok_or(AuthError::Malformed)
}
