//! The application's backend, however it is reached.

use std::sync::Arc;

use serde_json::value::RawValue;
use sluice_net::Cause;
use sluice_policy::{Identity, Policy};
use sluice_rooms::SessionId;

use crate::{failure::Failure, operation::Content};

/// What a backend said about a client that connects.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    /// Rooms that it is to be in.
    pub(crate) rooms: Vec<Arc<str>>,
}

/// The backend of the policy that holds.
#[derive(Debug, Default)]
pub(crate) struct Backend {}

impl Backend {
    pub(crate) fn new(_: &Policy, _: tokio::runtime::Handle) -> Self {
        Self::default()
    }

    pub(crate) fn configure(&self, _: &Policy) {}

    pub(crate) async fn connect(&self, _: &str, _: &Identity) -> Result<Admission, Failure> {
        Ok(Admission::default())
    }

    pub(crate) fn disconnected(&self, _: &str, _: &str, _: SessionId, _: Cause) {}

    pub(crate) async fn event(
        &self,
        _: &str,
        _: &str,
        _: SessionId,
        _: Content<'static>,
    ) -> Result<Option<Box<RawValue>>, Failure> {
        Err(Failure::NO_BACKEND)
    }
}
