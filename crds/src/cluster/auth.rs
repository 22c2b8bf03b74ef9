use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, SecretKeyRef};

/// Who may connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Auth::default")]
pub struct Auth {
    /// Whether a connection needs a token. When `false`, a client without one is let in without a
    /// user; a token that is sent is checked all the same, if `jwt` is set.
    pub required: bool,
    /// How tokens (JSON Web Tokens, RFC 7519) are checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<Jwt>,
    /// How long a connection goes on after its token has expired, so that the client can send a
    /// new one. Then it is closed. `0s` closes it at once.
    pub refresh_grace: Duration,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            required: true,
            jwt: None,
            refresh_grace: Duration::from_secs(60),
        }
    }
}

/// How tokens are checked. The keys come from `jwksUri` or from `keySecretRef`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Jwt::default")]
#[x_kube(
    validation = Rule::new("!(has(self.jwksUri) && has(self.keySecretRef))")
        .message("jwksUri and keySecretRef are both set: keep jwksUri if an identity provider signs the tokens, or keySecretRef if the key is your own")
        .field_path(".keySecretRef"),
    validation = Rule::new("has(self.jwksUri) || has(self.keySecretRef)")
        .message("tokens cannot be checked without a key: set jwksUri to the key set of your identity provider, or keySecretRef to a Secret with the key")
        .reason(Reason::FieldValueRequired),
    validation = Rule::new("!has(self.jwksUri) || self.algorithms.all(a, !a.startsWith('HS'))")
        .message("HS256, HS384 and HS512 need a shared key, which a key set at jwksUri must not publish: remove them from algorithms, or use keySecretRef")
        .field_path(".algorithms")
)]
pub struct Jwt {
    /// The `iss` that a token must have. Without it, any.
    #[schemars(length(min = 1, max = 1024))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The audience that a token's `aud` must be or contain. Without it, any.
    #[schemars(length(min = 1, max = 1024))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Where the identity provider publishes its keys (a JSON Web Key Set, RFC 7517). It is read
    /// again when it may have changed, and when a token names a key that is not known.
    #[schemars(length(max = 2048))]
    #[x_kube(validation = Rule::new("self.matches('^https?://[^/ ]')")
        .message("write a URL with its scheme, for example https://login.example.com/.well-known/jwks.json"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The key itself: a public key in PEM, or the shared secret of the HS algorithms (any other
    /// bytes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_secret_ref: Option<SecretKeyRef>,
    /// The algorithms that a token may be signed with. When the list is empty, those that fit the
    /// key: a shared secret takes HS256, HS384 and HS512, a public key those of its own kind.
    #[schemars(length(max = 12))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub algorithms: Vec<Algorithm>,
    /// The claim that names the user.
    #[schemars(length(min = 1, max = 256))]
    pub user_claim: String,
    /// How far the clocks of the token's maker and of the gateway may differ.
    pub leeway: Duration,
}

impl Default for Jwt {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            jwks_uri: None,
            key_secret_ref: None,
            algorithms: Vec::new(),
            user_claim: "sub".to_owned(),
            leeway: Duration::from_secs(5),
        }
    }
}

/// A signature algorithm of a token (RFC 7518, section 3.1; RFC 8037 for `EdDSA`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names are the registered ones")]
pub enum Algorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}
