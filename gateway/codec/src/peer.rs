//! What gateways ask and tell each other about Engine.IO sessions, as bytes.
//!
//! Every frame begins with [`VERSION`] and a byte for its kind; numbers are big-endian. A frame
//! that is not exactly as written here is [`Malformed`], so that the same bytes always mean the
//! same and gateways of different versions refuse each other's frames instead of misreading them.

mod answer;
mod ask;
mod read;
mod tell;

use thiserror::Error;

pub use self::{
    answer::{Answer, Refused},
    ask::Ask,
    tell::{Marks, Tell},
};

/// The version of these frames.
pub const VERSION: u8 = 2;

/// The bytes of an Engine.IO session id.
pub type SidBytes = [u8; 21];

/// The words that [`Ask::kind`] gives.
pub const CALLS: [&str; 6] = ["poll", "post", "probe", "part", "rest", "alive"];

/// The words that [`Tell::kind`] gives.
pub const TELLS: [&str; 2] = ["abandoned", "tunnel"];

/// The bytes are no frame of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a frame from another gateway is not of version {VERSION} or is damaged")]
pub struct Malformed;
