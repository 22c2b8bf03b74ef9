//! What gateways, the operator, the command line and client libraries say to each other, written once.

mod close;

pub use close::Cause;
