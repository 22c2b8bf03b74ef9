//! What a fleet is told over NATS beside its rooms: the documents that it works by, what is
//! revoked, events for the application's backend, and the server API by subject.
//!
//! All of it goes over one [`Connection`], which is never waited for: a gateway starts and works
//! without NATS by what it has.

mod backend;
mod bucket;
mod connection;
mod error;
mod policy;
mod purge;
mod requests;
mod revocations;
mod watch;

pub use backend::NatsBackend;
pub use connection::{Connection, Login};
pub use error::ControlError;
pub use policy::{Pushed, digest};
pub use purge::purge;
pub use requests::answer;
pub use watch::{News, watch};
