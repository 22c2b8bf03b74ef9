//! The keys of a cluster, and where they are read from.

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use sluice_crds::cluster::Algorithm;

use super::algorithm;
use super::key::{Key, KeyError};
use crate::auth::AuthError;

/// How many keys of a set are used.
const MAX_KEYS: usize = 64;

/// How many keys a token that names none is tried with.
const MAX_TRIES: usize = 8;

/// The keys that tokens may be signed with.
#[derive(Default)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
}

impl KeySet {
    /// Reads what a Secret holds: a JSON Web Key Set, one or more public keys in PEM, or, being
    /// neither, a shared secret. A line end after the secret, which editors like to leave, is not
    /// part of it.
    pub(crate) fn from_secret(bytes: &[u8], allowed: &[Algorithm]) -> Result<Self, KeyError> {
        if let Some(secret) = shared_secret(bytes) {
            return Ok(Self {
                keys: vec![Key::shared(secret, allowed)?],
            });
        }
        let text = bytes.trim_ascii();
        if text.starts_with(b"{") {
            Self::from_jwks(text, allowed)
        } else {
            Self::from_pem(text, allowed)
        }
    }

    fn from_pem(text: &[u8], allowed: &[Algorithm]) -> Result<Self, KeyError> {
        let text = std::str::from_utf8(text).map_err(|_| KeyError::Pem)?;
        let mut keys = Vec::new();
        for block in text
            .split_inclusive("-----END")
            .collect::<Vec<_>>()
            .windows(2)
        {
            let from = block[0].find("-----BEGIN").ok_or(KeyError::Pem)?;
            let label_end = block[1].find("-----").ok_or(KeyError::Pem)? + 5;
            let pem = [&block[0][from..], &block[1][..label_end]].concat();
            keys.push(pem_key(&pem, allowed)?);
        }
        if keys.is_empty() {
            return Err(KeyError::Pem);
        }
        keys.truncate(MAX_KEYS);
        Ok(Self { keys })
    }

    /// Reads a JSON Web Key Set (RFC 7517). Keys that are not for checking signatures, or of a
    /// kind that is not known, are passed over, as section 5 asks; so are shared secrets, which
    /// such a document must not publish.
    pub(crate) fn from_jwks(document: &[u8], allowed: &[Algorithm]) -> Result<Self, KeyError> {
        #[derive(Deserialize)]
        struct Document<'d> {
            #[serde(borrow)]
            keys: Vec<&'d RawValue>,
        }
        let document: Document<'_> =
            serde_json::from_slice(document).map_err(|_| KeyError::KeySet)?;
        let keys: Vec<Key> = document
            .keys
            .into_iter()
            .filter_map(|jwk| jwk_key(jwk.get(), allowed))
            .take(MAX_KEYS)
            .collect();
        if keys.is_empty() {
            return Err(KeyError::NoKey);
        }
        Ok(Self { keys })
    }

    /// Checks a signature with the key that the token names, or, where it names none or the keys
    /// have no names, with each that fits the algorithm.
    pub(crate) fn verify(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), AuthError> {
        let named = |key: &&Key| id.is_none() || key.id().is_none() || key.id() == id;
        let mut candidates = self.keys.iter().filter(named).peekable();
        if candidates.peek().is_none() {
            return Err(AuthError::UnknownKey);
        }
        let mut fitting = candidates
            .filter(|key| key.is_for(algorithm))
            .take(MAX_TRIES)
            .peekable();
        if fitting.peek().is_none() {
            return Err(AuthError::Algorithm);
        }
        fitting
            .any(|key| key.verifies(algorithm, message, signature))
            .then_some(())
            .ok_or(AuthError::Signature)
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// The shared secret that a Secret holds, if it is one: whatever does not begin as a public key
/// does, so that a public key with a slip in it is never taken for a secret.
pub(crate) fn shared_secret(bytes: &[u8]) -> Option<&[u8]> {
    let text = bytes.trim_ascii_start();
    if text.starts_with(b"-----") || text.starts_with(b"{") {
        return None;
    }
    let secret = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    Some(secret.strip_suffix(b"\r").unwrap_or(secret))
}

fn pem_key(pem: &str, allowed: &[Algorithm]) -> Result<Key, KeyError> {
    if pem.contains("PRIVATE KEY-----") || pem.contains("CERTIFICATE-----") {
        return Err(KeyError::NotPublic);
    }
    let key = DecodingKey::from_rsa_pem(pem.as_bytes())
        .or_else(|_| DecodingKey::from_ec_pem(pem.as_bytes()))
        .or_else(|_| DecodingKey::from_ed_pem(pem.as_bytes()))
        .map_err(|_| KeyError::Pem)?;
    Key::public(&key, None, None, allowed)
}

fn jwk_key(json: &str, allowed: &[Algorithm]) -> Option<Key> {
    let jwk: Jwk = serde_json::from_str(json).ok()?;
    let known = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) | AlgorithmParameters::EllipticCurve(_) => true,
        AlgorithmParameters::OctetKeyPair(pair) => pair.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    if !known || !is_for_signatures(&jwk.common) {
        return None;
    }
    let only = match jwk.common.key_algorithm {
        None => None,
        Some(name) => Some(algorithm::named(&name.to_string())?),
    };
    let id = jwk.common.key_id.as_deref().map(Box::from);
    Key::public(&DecodingKey::from_jwk(&jwk).ok()?, id, only, allowed).ok()
}

fn is_for_signatures(common: &CommonParameters) -> bool {
    let for_use = common
        .public_key_use
        .as_ref()
        .is_none_or(|u| *u == PublicKeyUse::Signature);
    let operations = common.key_operations.as_ref();
    for_use && operations.is_none_or(|list| list.contains(&KeyOperations::Verify))
}
