//! Why a backbone refuses.

use sluice_contract::Code;
use thiserror::Error;

/// A refusal, in words that can go to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// Part of what was asked for is no longer kept.
    #[error(
        "some of the messages are no longer kept; read the room's history and go on from there"
    )]
    Gone,
    /// The room keeps no history.
    #[error("the room keeps no history; give its Room a history to read or recover messages")]
    NoHistory,
    /// The room's publishers together are too fast.
    #[error("the room takes no more messages this second; publish more slowly")]
    RoomRate,
    /// The room is full.
    #[error("the room has as many members as it may; join later or another room")]
    RoomFull,
    /// The user has as many sessions as they may.
    #[error("the user has as many connections as allowed; close one first")]
    UserConnections,
    /// Some worker is too far behind, or the histories in memory are full.
    #[error("the gateway is overloaded; publish again after a pause")]
    Overloaded,
    /// What is to be sent to the other gateways is larger than the backbone takes.
    #[error("the message is larger than the backbone takes; send less at a time")]
    TooLarge,
    /// The backbone cannot be reached.
    #[error("the backbone cannot be reached; try again later")]
    Unavailable,
}

impl Error {
    /// The stable code for answers and counters.
    pub const fn code(self) -> Code {
        match self {
            Self::Gone => Code::HistoryGone,
            Self::NoHistory => Code::NoHistory,
            Self::RoomRate => Code::RoomRateLimited,
            Self::RoomFull => Code::RoomFull,
            Self::UserConnections => Code::UserConnectionsExceeded,
            Self::Overloaded => Code::Overloaded,
            Self::TooLarge => Code::PayloadTooLarge,
            Self::Unavailable => Code::BackboneUnavailable,
        }
    }
}
