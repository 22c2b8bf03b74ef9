//! What a gateway allows: one immutable snapshot, compiled from the documents.
//!
//! [`Policy::compile`] turns checked documents and the Secrets they name into a [`Policy`]: who
//! may connect ([`Authenticator`]), from which pages ([`Origins`]), how much each may use
//! ([`Limits`], [`TokenBucket`], [`TrustedProxies`]), and, by room, who may do what ([`AccessRule`]),
//! what is kept, and what data must look like ([`Schemas`]). Workers hold it behind an `Arc`, ask
//! it on every message, and get a new one when a document changes.
//!
//! Nothing here waits, except for the task that reads published keys ([`Jwks`]). Each part can be
//! used without the others and without documents.
//!
//! ```
//! use sluice_crds::{SecretKeyRef, Source, load};
//! use sluice_policy::{Action, Policy, SecretSource};
//!
//! struct NoSecrets;
//!
//! impl SecretSource for NoSecrets {
//!     fn get(&self, _: &SecretKeyRef) -> Option<Vec<u8>> {
//!         None
//!     }
//! }
//!
//! let text = "
//! apiVersion: sluice.dev/v1alpha1
//! kind: RealtimeCluster
//! metadata: {name: chat}
//! spec: {auth: {required: false}}
//! ---
//! apiVersion: sluice.dev/v1alpha1
//! kind: Room
//! metadata: {name: news}
//! spec: {clusterRef: {name: chat}, match: news-*, access: {join: 'true', publish: 'false'}}
//! ";
//! let documents = load(&[Source { name: "chat.yaml", text }]).unwrap();
//! let policy = Policy::compile(&documents, &NoSecrets, None).unwrap();
//! let anyone = policy.auth.admit(None, 0).unwrap();
//! let room = policy.room("/", "news-today").unwrap();
//! assert!(room.may(Action::Join, &anyone, "/", "news-today").is_ok());
//! assert!(room.may(Action::Publish, &anyone, "/", "news-today").is_err());
//! ```

mod access;
mod auth;
mod limits;
mod origins;
mod policy;
mod regular;
mod rooms;
mod schema;

#[cfg(test)]
mod testing;

pub use access::{AccessError, AccessRule, MAX_RULE_BYTES, RoomInput, RuleError};
pub use auth::{
    Algorithm, AuthError, Authenticator, Identity, Jwks, JwksError, JwksTiming, KeyError,
    MAX_TOKEN_BYTES, MAX_USER_BYTES, MIN_SECRET_BYTES, Revocations, RevocationsFull, SignError,
    TokenRules, sign_development_token,
};
pub use limits::{Limits, ProxyError, Rate, TokenBucket, TrustedProxies};
pub use origins::{OriginError, Origins};
pub use policy::{
    ApplicationLimits, ApplicationRecovery, Auth, Backend, BackendVia, Changes, Drain, Handshake,
    Heartbeat, Policy, RoomChanges, SecretSource,
};
pub use rooms::{Action, History, Pattern, Presence, RoomLimits, RoomPolicy, Tally};
pub use schema::{MAX_SCHEMA_BYTES, SchemaError, SchemaProblem, Schemas};
pub use sluice_crds::room::OnSlowConsumer;
