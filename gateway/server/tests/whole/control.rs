//! What a fleet is told over NATS beside its rooms.

mod events;
mod fleet;
mod policy;
mod pushing;
mod revocations;
mod storing;
mod subjects;
