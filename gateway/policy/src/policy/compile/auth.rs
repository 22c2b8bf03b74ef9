//! Who may connect.

use std::sync::Arc;

use sluice_crds::cluster::Jwt;

use super::Compiler;
use crate::policy::Auth;
use crate::{Authenticator, Jwks, JwksTiming, TokenRules};

/// A digest of a key, to see whether it has changed.
type Digest = [u8; 32];

impl Compiler<'_> {
    pub(super) fn auth(&mut self) -> Option<(Auth, Option<Digest>)> {
        let spec = self.spec;
        let (tokens, digest) = match &spec.auth.jwt {
            None => (None, None),
            Some(jwt) => {
                let (tokens, digest) = self.tokens(jwt)?;
                (Some(tokens), digest)
            }
        };
        let auth = Auth {
            required: spec.auth.required,
            refresh_grace: spec.auth.refresh_grace.as_std(),
            tokens,
        };
        Some((auth, digest))
    }

    fn tokens(&mut self, jwt: &Jwt) -> Option<(Authenticator, Option<Digest>)> {
        let rules = TokenRules::from(jwt);
        if let Some(reference) = &jwt.key_secret_ref {
            let key = self.secret("spec.auth.jwt.keySecretRef", reference)?;
            let tokens = Authenticator::with_key(rules, &key)
                .map_err(|error| {
                    let from =
                        format!("the key {} of the Secret {}", reference.key, reference.name);
                    self.invalid("spec.auth.jwt.keySecretRef", format!("{from}: {error}"));
                })
                .ok()?;
            return Some((tokens, digest(&key)));
        }
        let Some(url) = jwt.jwks_uri.as_deref() else {
            self.invalid(
                "spec.auth.jwt",
                "tokens cannot be checked without a key: set jwksUri or keySecretRef",
            );
            return None;
        };
        Some((Authenticator::with_jwks(rules, self.jwks(url, jwt)?), None))
    }

    fn jwks(&mut self, url: &str, jwt: &Jwt) -> Option<Arc<Jwks>> {
        let earlier = self
            .previous
            .and_then(|previous| previous.auth.tokens.as_ref());
        let known = earlier.and_then(Authenticator::jwks);
        if let Some(known) = known.filter(|jwks| jwks.is_for(url, &jwt.algorithms)) {
            return Some(Arc::clone(known));
        }
        Jwks::new(url, jwt.algorithms.clone(), JwksTiming::default())
            .map_err(|error| self.invalid("spec.auth.jwt.jwksUri", error))
            .ok()
    }
}

/// The rules that a `RealtimeCluster` gives for tokens.
impl From<&Jwt> for TokenRules {
    fn from(jwt: &Jwt) -> Self {
        Self {
            issuer: jwt.issuer.as_deref().map(Box::from),
            audience: jwt.audience.as_deref().map(Box::from),
            algorithms: jwt.algorithms.clone(),
            user_claim: jwt.user_claim.as_str().into(),
            leeway: jwt.leeway.as_std(),
        }
    }
}

fn digest(key: &[u8]) -> Option<Digest> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key)
        .as_ref()
        .try_into()
        .ok()
}
