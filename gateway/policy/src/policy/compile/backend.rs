//! The application's backend.

use sluice_crds::cluster::{self, WebhookBackend};

use super::Compiler;
use crate::policy::{Backend, BackendVia, Handshake};

impl Handshake {
    /// What a document says is to be told.
    pub(in crate::policy) fn of(named: &cluster::Handshake) -> Self {
        let texts = |names: &[String]| names.iter().map(|name| name.as_str().into()).collect();
        let headers = named.headers.iter();
        Self {
            headers: headers
                .map(|name| name.to_ascii_lowercase().into())
                .collect(),
            cookies: texts(&named.cookies),
            query: texts(&named.query),
        }
    }
}

impl Compiler<'_> {
    pub(super) fn backend(&mut self) -> Option<Backend> {
        let spec = self.spec.backend.as_ref()?;
        let (via, timeout) = match (&spec.webhook, &spec.nats) {
            (Some(webhook), _) => (self.webhook(webhook)?, webhook.timeout),
            (None, nats) => (BackendVia::Nats, nats.as_ref()?.timeout),
        };
        Some(Backend {
            via,
            timeout: timeout.as_std(),
            ask_on_connect: spec.ask_on_connect,
            handshake: spec.handshake.as_ref().map(Handshake::of),
            tell_on_disconnect: spec.tell_on_disconnect,
        })
    }

    fn webhook(&mut self, webhook: &WebhookBackend) -> Option<BackendVia> {
        let key = self.secret("spec.backend.webhook.secretRef", &webhook.secret_ref);
        if let Err(error) = reqwest::Url::parse(&webhook.url) {
            let message = format!("this is no address ({error}): write https://host/path");
            self.invalid("spec.backend.webhook.url", message);
            return None;
        }
        let key = key?;
        if key.is_empty() {
            self.invalid(
                "spec.backend.webhook.secretRef",
                "the key is empty: make one with `openssl rand -base64 32`",
            );
            return None;
        }
        Some(BackendVia::Webhook {
            url: webhook.url.as_str().into(),
            key: key.into(),
        })
    }
}
