//! The tokens that connections show: from a file, signed here, or none.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use sluice_util::unix_time;

use crate::error::LoadError;

/// How long a signed token is good for; longer than any run.
const LIFETIME: Duration = Duration::from_hours(1);

/// Where tokens come from. No Debug: it holds a key.
pub(crate) enum Tokens {
    None,
    Listed(Vec<String>),
    Signed { key: EncodingKey, expires: u64 },
}

#[derive(Serialize)]
struct Claims {
    sub: String,
    exp: u64,
}

impl Tokens {
    /// A token a line; used again from the start when there are more connections.
    pub(crate) fn from_file(path: &Path) -> Result<Self, LoadError> {
        let tokens: Vec<String> = read(path)?.split_whitespace().map(str::to_owned).collect();
        if tokens.is_empty() {
            return Err(LoadError::NoTokens(path.to_owned()));
        }
        Ok(Self::Listed(tokens))
    }

    /// HS256 with the bytes of the file, less a newline at its end.
    pub(crate) fn signing(path: &Path) -> Result<Self, LoadError> {
        let key = EncodingKey::from_secret(read(path)?.trim_end().as_bytes());
        Ok(Self::Signed {
            key,
            expires: (unix_time() + LIFETIME).as_secs(),
        })
    }

    /// The token of connection `number`; signed ones name the user `user-<number>`.
    pub(crate) fn get(&self, number: usize) -> Result<Option<String>, LoadError> {
        match self {
            Self::None => Ok(None),
            Self::Listed(tokens) => Ok(tokens.get(number % tokens.len()).cloned()),
            Self::Signed { key, expires } => {
                let claims = Claims {
                    sub: format!("user-{number}"),
                    exp: *expires,
                };
                Ok(Some(jsonwebtoken::encode(
                    &Header::default(),
                    &claims,
                    key,
                )?))
            }
        }
    }
}

fn read(path: &Path) -> Result<String, LoadError> {
    let unreadable = |source| LoadError::Read {
        path: PathBuf::from(path),
        source,
    };
    fs::read_to_string(path).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_tokens_go_round() {
        let tokens = Tokens::Listed(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(tokens.get(0).unwrap().as_deref(), Some("a"));
        assert_eq!(tokens.get(3).unwrap().as_deref(), Some("b"));
    }

    #[test]
    fn a_signed_token_names_its_user_and_ends() {
        use jsonwebtoken::{DecodingKey, Validation};
        let expires = 4_000_000_000;
        let key = EncodingKey::from_secret(b"k");
        let token = Tokens::Signed { key, expires }.get(7).unwrap().unwrap();
        let key = DecodingKey::from_secret(b"k");
        let claims: serde_json::Value = jsonwebtoken::decode(token, &key, &Validation::default())
            .unwrap()
            .claims;
        assert_eq!(claims, serde_json::json!({"sub": "user-7", "exp": expires}));
    }
}
