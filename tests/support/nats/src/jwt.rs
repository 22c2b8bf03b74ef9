//! An operator, an account and users, signed by hand as `nsc` does.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use nkeys::KeyPair;
use serde_json::{Value, json};

/// Who may sign users.
#[derive(Debug)]
pub struct Operator {
    operator: KeyPair,
    account: KeyPair,
}

impl Operator {
    /// An operator with one account.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Default for Operator {
    fn default() -> Self {
        Self {
            operator: KeyPair::new_operator(),
            account: KeyPair::new_account(),
        }
    }
}

impl Operator {
    /// The configuration of a server that trusts this operator.
    pub fn config(&self) -> String {
        let operator = json!({"type": "operator", "version": 2});
        let operator = token(&self.operator, &self.operator, &operator, None);
        let limits = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
            "wildcards": true, "conn": -1, "leaf": -1,
        });
        let account = json!({"type": "account", "version": 2, "limits": limits});
        let account = token(&self.operator, &self.account, &account, None);
        let name = self.account.public_key();
        format!("operator: {operator}\nresolver: MEMORY\nresolver_preload: {{ {name}: {account} }}")
    }

    /// The `.creds` of a new user, for so many seconds from now on.
    pub fn creds_for(&self, seconds: u64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.creds(Some(now.as_secs() + seconds))
    }

    /// The `.creds` of a new user, until `expires` (in seconds since the Unix epoch).
    pub fn creds(&self, expires: Option<u64>) -> String {
        let user = KeyPair::new_user();
        let claims = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
        let jwt = token(&self.account, &user, &claims, expires);
        let seed = user.seed().unwrap();
        format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }
}

fn token(issuer: &KeyPair, subject: &KeyPair, nats: &Value, expires: Option<u64>) -> String {
    let mut claims = json!({
        "jti": "1", "iat": 1, "iss": issuer.public_key(), "name": "test",
        "sub": subject.public_key(), "nats": nats,
    });
    if let Some(expires) = expires {
        claims["exp"] = json!(expires);
    }
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let encode = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let content = format!("{}.{}", encode(&header), encode(&claims));
    let signature = issuer.sign(content.as_bytes()).unwrap();
    format!("{content}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}
