//! What a client proves itself with.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use nkeys::{KeyPair, KeyPairType};
use thiserror::Error;

use super::{ServerInfo, ServerUrl, protocol::encode::Connect};

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
}

impl CredentialsError {
    /// The stable code for logs and counters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoJwt => "nats_credentials_no_jwt",
            Self::NoSeed => "nats_credentials_no_seed",
            Self::InvalidSeed => "nats_credentials_invalid_seed",
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

    fn sign(&self, nonce: &str) -> Result<String, nkeys::error::Error> {
        let signature = KeyPair::from_seed(&self.seed)?.sign(nonce.as_bytes())?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(signature))
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

/// What a client proves itself with. Shown without its secrets.
#[derive(Clone, Default)]
pub enum Auth {
    /// The server asks for nothing.
    #[default]
    None,
    /// A user and a password.
    UserPassword {
        /// The user's name.
        user: String,
        /// The user's password.
        password: String,
    },
    /// A token.
    Token(String),
    /// A JWT and a key: the server's nonce is signed.
    Credentials(Credentials),
}

impl Auth {
    /// Fills in what proves the client to the server that greeted with `info`. A user or token in
    /// the URL comes first.
    pub(super) fn prove<'a>(
        &'a self,
        url: &'a ServerUrl,
        info: &ServerInfo,
        connect: &mut Connect<'a>,
    ) -> Result<(), nkeys::error::Error> {
        if let Some(info) = &url.user_info {
            match &info.password {
                Some(password) => {
                    connect.user = Some(&info.user);
                    connect.pass = Some(password);
                }
                None => connect.auth_token = Some(&info.user),
            }
            return Ok(());
        }
        match self {
            Self::None => {}
            Self::UserPassword { user, password } => {
                connect.user = Some(user);
                connect.pass = Some(password);
            }
            Self::Token(token) => connect.auth_token = Some(token),
            Self::Credentials(credentials) => {
                connect.jwt = Some(&credentials.jwt);
                let nonce = info.nonce.as_deref().unwrap_or_default();
                connect.sig = Some(credentials.sign(nonce)?);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::UserPassword { .. } => "UserPassword",
            Self::Token(_) => "Token",
            Self::Credentials(_) => "Credentials",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn creds(seed: &str) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\neyJ.x.y\n------END NATS USER JWT------\n\n\
             ************ IMPORTANT ************\n\n\
             -----BEGIN USER NKEY SEED-----\r\n{seed}\r\n------END USER NKEY SEED------\n"
        )
    }

    #[test]
    fn credentials_are_a_jwt_and_a_key_that_signs() {
        let pair = KeyPair::new_user();
        let credentials = Credentials::parse(&creds(&pair.seed().unwrap())).unwrap();
        assert_eq!(credentials.jwt, "eyJ.x.y");
        let signature = credentials.sign("nonce").unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        pair.verify(b"nonce", &signature).unwrap();
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
    fn secrets_are_never_shown() {
        let seed = KeyPair::new_user().seed().unwrap();
        let auth = Auth::Credentials(Credentials::parse(&creds(&seed)).unwrap());
        assert_eq!(format!("{auth:?}"), "Credentials");
        let auth = Auth::UserPassword {
            user: "ann".into(),
            password: "secret".into(),
        };
        assert_eq!(
            format!("{auth:?} {:?}", Auth::Token("secret".into())),
            "UserPassword Token"
        );
    }
}
