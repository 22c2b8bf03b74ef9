//! What a client proves itself with.

mod credentials;
mod logins;
mod renewal;

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use nkeys::{KeyPair, KeyPairType};

pub use self::{
    credentials::{Credentials, CredentialsError},
    logins::Logins,
    renewal::Renewal,
};
use super::protocol::encode::Connect;

/// What a client proves itself with. Shown without its secrets.
#[derive(Clone, Default)]
pub enum Auth {
    /// The server asks for nothing, or for a certificate.
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
    /// A user's nkey, by its seed: the server's nonce is signed.
    NKey(String),
}

impl Auth {
    /// Reads what a file says that lets somebody in: a `.creds` file, the seed of a user's nkey, or
    /// `user:password`.
    ///
    /// # Errors
    /// Where it is none of these.
    pub fn parse(text: &str) -> Result<Self, CredentialsError> {
        let line = text.trim();
        if line.contains("-----BEGIN") {
            return Credentials::parse(text).map(Self::Credentials);
        }
        if let Ok(pair) = KeyPair::from_seed(line)
            && pair.key_pair_type() == KeyPairType::User
        {
            return Ok(Self::NKey(line.to_owned()));
        }
        match line.split_once(':') {
            Some((user, password)) if !user.is_empty() && !line.contains(char::is_whitespace) => {
                Ok(Self::UserPassword {
                    user: user.to_owned(),
                    password: password.to_owned(),
                })
            }
            _ => Err(CredentialsError::Unknown),
        }
    }

    /// When it expires, in seconds since 1970; `None` where it does not, or does not say.
    pub fn expires(&self) -> Option<u64> {
        match self {
            Self::Credentials(credentials) => credentials.expires(),
            _ => None,
        }
    }

    /// What a server that asks with `nonce` is shown.
    ///
    /// # Errors
    /// Where the key cannot sign.
    pub fn prove(&self, nonce: &[u8]) -> Result<Proof, nkeys::error::Error> {
        let mut proof = Proof::default();
        match self {
            Self::None => {}
            Self::UserPassword { user, password } => {
                proof.user = Some(user.clone());
                proof.password = Some(password.clone());
            }
            Self::Token(token) => proof.token = Some(token.clone()),
            Self::Credentials(credentials) => {
                proof.jwt = Some(credentials.jwt().to_owned());
                proof.signature = Some(credentials.sign(nonce)?);
            }
            Self::NKey(seed) => {
                let pair = KeyPair::from_seed(seed)?;
                proof.nkey = Some(pair.public_key());
                proof.signature = Some(pair.sign(nonce)?);
            }
        }
        Ok(proof)
    }
}

/// What a server is shown.
#[derive(Clone, Default)]
pub struct Proof {
    /// A user.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// A token.
    pub token: Option<String>,
    /// A user's JWT.
    pub jwt: Option<String>,
    /// The public key of a user without a JWT.
    pub nkey: Option<String>,
    /// The server's nonce, signed.
    pub signature: Option<Vec<u8>>,
}

impl Proof {
    /// Says it in the words of the protocol.
    pub(super) fn fill<'a>(&'a self, connect: &mut Connect<'a>) {
        connect.user = self.user.as_deref();
        connect.pass = self.password.as_deref();
        connect.auth_token = self.token.as_deref();
        connect.jwt = self.jwt.as_deref();
        connect.nkey = self.nkey.as_deref();
        let signature = self.signature.as_ref();
        connect.sig = signature.map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes));
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").finish_non_exhaustive()
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::UserPassword { .. } => "UserPassword",
            Self::Token(_) => "Token",
            Self::Credentials(_) => "Credentials",
            Self::NKey(_) => "NKey",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Auth {
        Auth::parse(text).unwrap()
    }

    #[test]
    fn a_file_holds_credentials_a_key_or_a_user_with_a_password() {
        let pair = KeyPair::new_user();
        let key = parse(&format!("{}\n", pair.seed().unwrap()));
        let proof = key.prove(b"nonce").unwrap();
        assert_eq!(proof.nkey, Some(pair.public_key()));
        pair.verify(b"nonce", &proof.signature.unwrap()).unwrap();
        let user = parse("ann:s3:cret\n").prove(b"").unwrap();
        assert_eq!(
            (user.user.as_deref(), user.password.as_deref()),
            (Some("ann"), Some("s3:cret"))
        );
        for none in ["", "ann", ":x", "ann: x", "a:b\nc:d"] {
            let refused = Auth::parse(none).unwrap_err();
            assert_eq!(refused, CredentialsError::Unknown, "{none}");
        }
        let account = KeyPair::new_account().seed().unwrap();
        assert!(Auth::parse(&account).is_err());
    }

    #[test]
    fn secrets_are_never_shown() {
        let auth = parse("ann:secret");
        let key = Auth::NKey(KeyPair::new_user().seed().unwrap());
        let shown = format!("{auth:?} {:?} {key:?}", Auth::Token("secret".into()));
        assert_eq!(shown, "UserPassword Token NKey");
        assert_eq!(format!("{:?}", auth.prove(b"").unwrap()), "Proof { .. }");
    }
}
