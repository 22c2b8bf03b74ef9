//! The custom resources of Sluice: [`RealtimeCluster`] and [`Room`], group `sluice.dev`, version
//! `v1alpha1`.
//!
//! The types here are the only definition: the YAML that is installed on a cluster is generated
//! from them, and the gateway and the operator read their documents with them. A field's default
//! is written once, in its struct's [`Default`], and reaches the schema, so that `kubectl` shows
//! it, the API server stores it, and a file read offline gets the same value.
//!
//! ```
//! use sluice_crds::{Source, load};
//!
//! let text = "
//! apiVersion: sluice.dev/v1alpha1
//! kind: RealtimeCluster
//! metadata: {name: chat}
//! spec:
//!   auth: {required: false}
//!   limits: {messagesPerSec: 10}
//! ";
//! let problems = load(&[Source { name: "chat.yaml", text }]).unwrap_err();
//! assert_eq!(
//!     problems[0].to_string(),
//!     "chat.yaml, document 1 (RealtimeCluster chat): spec.limits.messagesPerSec: \
//!      there is no such field; did you mean messagesPerSecond?"
//! );
//! ```

#![allow(
    unreachable_pub,
    reason = "KubeSchema describes a type by a copy of it inside a function, where `pub` reaches nothing"
)]
#![allow(
    clippy::duplicated_attributes,
    reason = "printer columns repeat their keys, each in a list of its own"
)]

pub mod cluster;
mod definition;
mod durability;
mod duration;
pub mod load;
mod on_delete;
mod passthrough;
pub mod room;
mod secret_key;

pub use cluster::{RealtimeCluster, RealtimeClusterSpec, RealtimeClusterStatus};
pub use definition::{definition, definition_yaml};
pub use durability::Durability;
pub use duration::{Duration, ParseDurationError};
pub use load::{Documents, Problem, ProblemCode, Secret, Source, load};
pub use on_delete::OnDelete;
pub use room::{Room, RoomSpec, RoomStatus};
pub use secret_key::SecretKeyRef;

/// The API group of both resources.
pub const GROUP: &str = "sluice.dev";

/// The API version of both resources, as `apiVersion` has it.
pub const API_VERSION: &str = "sluice.dev/v1alpha1";
