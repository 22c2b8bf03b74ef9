//! Whose a token is.

use std::time::Instant;

use sluice_policy::{AuthError, Identity};
use sluice_rooms::SessionId;
use sluice_spans::{failed, span};
use sluice_util::{read, unix_seconds};
use tracing::Instrument as _;

use super::Hub;
use crate::failure::Failure;

impl Hub {
    /// Checks a token. Where its key is not known, the key set is read again, once.
    pub(super) async fn identify(&self, token: Option<&str>) -> Result<Identity, Failure> {
        let span = span!("authenticate");
        let identity = self.authenticate(token).instrument(span.clone()).await;
        if let Err(error) = &identity {
            failed(&span, error.code().as_str());
        }
        self.counters.authenticated(match &identity {
            Ok(identity) if identity.is_anonymous() => "anonymous",
            Ok(_) => "accepted",
            Err(error) => error.code().as_str(),
        });
        Ok(identity?)
    }

    async fn authenticate(&self, token: Option<&str>) -> Result<Identity, AuthError> {
        let policy = self.policy();
        let Some(token) = token else {
            let anonymous = (!policy.auth.required).then(Identity::anonymous);
            return anonymous.ok_or(AuthError::Missing);
        };
        let Some(auth) = &policy.auth.tokens else {
            return Ok(Identity::anonymous());
        };
        let check = async || {
            self.checks.turn().await;
            let began = Instant::now();
            let checked = auth.authenticate(token, unix_seconds());
            self.checks.spend(began.elapsed());
            checked
        };
        let identity = match (check().await, auth.jwks()) {
            (Err(AuthError::UnknownKey), Some(jwks)) => {
                jwks.refresh().await;
                check().await
            }
            (identity, _) => identity,
        }?;
        self.refuse_revoked(&identity, None)?;
        Ok(identity)
    }

    pub(super) fn refuse_revoked(
        &self,
        identity: &Identity,
        session: Option<SessionId>,
    ) -> Result<(), AuthError> {
        let revocations = read(&self.shared.revocations);
        let session = session.map(|session| session.to_string());
        revocations.check(identity, session.as_deref(), unix_seconds())
    }
}
