//! The bucket of a cluster in NATS: the documents that its gateways work by, and what is revoked.
//!
//! It is reached by a [`Connection`], which is never waited for: a gateway starts and works
//! without NATS by what it has.

mod bucket;
mod connection;
mod error;
mod policy;
mod purge;
mod revocations;
mod watch;

pub use connection::{Connection, Login};
pub use error::BucketError;
pub use policy::{Pushed, digest};
pub use purge::purge;
pub use watch::{News, watch};
