//! What gateways, the operator, the command line and client libraries say to each other, written once.

mod close;
mod code;

pub use close::Cause;
pub use code::Code;
