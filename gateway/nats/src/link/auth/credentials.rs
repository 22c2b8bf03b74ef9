//! A JWT and a key: what a `.creds` file holds.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use nkeys::{KeyPair, KeyPairType};
use serde::Deserialize;
use thiserror::Error;

/// Why a text holds no credentials. No part of the text is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CredentialsError {
    /// There is no JWT.
    #[error("the NATS credentials have no block NATS USER JWT; use a .creds file as nsc writes it")]
    NoJwt,
    /// There is no seed.
    #[error(
        "the NATS credentials have no block USER NKEY SEED; use a .creds file as nsc writes it"
    )]
    NoSeed,
    /// The seed is not a user's.
    #[error("the seed in the NATS credentials is not a user's; use a .creds file as nsc writes it")]
    InvalidSeed,
    /// The text is nothing that lets anybody in.
    #[error(
        "this lets nobody into NATS: give a .creds file as nsc writes it, the seed of a user's nkey, or user:password"
    )]
    Unknown,
}

impl CredentialsError {
    /// The stable code for logs and counters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoJwt => "nats_credentials_no_jwt",
            Self::NoSeed => "nats_credentials_no_seed",
            Self::InvalidSeed => "nats_credentials_invalid_seed",
            Self::Unknown => "nats_credentials_unknown",
        }
    }
}

/// A user's JWT and the seed of the key that it names: what a `.creds` file holds.
#[derive(Clone)]
pub struct Credentials {
    jwt: String,
    seed: String,
}

impl Credentials {
    /// Reads the text of a `.creds` file.
    pub fn parse(text: &str) -> Result<Self, CredentialsError> {
        let jwt = block(text, "NATS USER JWT").ok_or(CredentialsError::NoJwt)?;
        let seed = block(text, "USER NKEY SEED").ok_or(CredentialsError::NoSeed)?;
        match KeyPair::from_seed(seed) {
            Ok(pair) if pair.key_pair_type() == KeyPairType::User => Ok(Self {
                jwt: jwt.to_owned(),
                seed: seed.to_owned(),
            }),
            _ => Err(CredentialsError::InvalidSeed),
        }
    }

    pub(super) fn jwt(&self) -> &str {
        &self.jwt
    }

    pub(super) fn sign(&self, nonce: &[u8]) -> Result<Vec<u8>, nkeys::error::Error> {
        KeyPair::from_seed(&self.seed)?.sign(nonce)
    }

    /// When the JWT expires, in seconds since 1970; `None` where it does not, or does not say.
    pub(super) fn expires(&self) -> Option<u64> {
        #[derive(Deserialize)]
        struct Claims {
            exp: Option<u64>,
        }
        let claims = self.jwt.split('.').nth(1)?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        claims.exp.filter(|exp| *exp > 0)
    }
}

/// What stands between the lines `BEGIN name` and `END name`.
fn block<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| is_mark(line, "BEGIN", name))?;
    let content = lines.find(|line| !line.is_empty())?;
    (!content.starts_with('-')).then_some(content)
}

fn is_mark(line: &str, kind: &str, name: &str) -> bool {
    line.starts_with("---")
        && line.ends_with("---")
        && line.trim_matches('-').split_once(' ') == Some((kind, name))
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn creds(seed: &str) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\neyJ.eyJleHAiOjd9.y\n------END NATS USER JWT------\n\n\
             ************ IMPORTANT ************\n\n\
             -----BEGIN USER NKEY SEED-----\r\n{seed}\r\n------END USER NKEY SEED------\n"
        )
    }

    #[test]
    fn credentials_are_a_jwt_and_a_key_that_signs() {
        let pair = KeyPair::new_user();
        let credentials = Credentials::parse(&creds(&pair.seed().unwrap())).unwrap();
        assert_eq!(credentials.jwt(), "eyJ.eyJleHAiOjd9.y");
        assert_eq!(credentials.expires(), Some(7));
        pair.verify(b"nonce", &credentials.sign(b"nonce").unwrap())
            .unwrap();
    }

    #[test]
    fn what_are_no_credentials_of_a_user_is_refused() {
        let error = |text: &str| Credentials::parse(text).unwrap_err();
        assert_eq!(error(""), CredentialsError::NoJwt);
        let whole = creds("SUAx");
        assert_eq!(error(&whole), CredentialsError::InvalidSeed);
        assert_eq!(error(&whole[..100]), CredentialsError::NoSeed);
        let account = KeyPair::new_account().seed().unwrap();
        assert_eq!(error(&creds(&account)), CredentialsError::InvalidSeed);
    }

    #[test]
    fn a_key_is_never_shown() {
        let seed = KeyPair::new_user().seed().unwrap();
        let credentials = Credentials::parse(&creds(&seed)).unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials { .. }");
    }
}
