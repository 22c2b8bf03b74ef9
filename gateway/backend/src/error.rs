//! Why there is no answer.

use sluice_contract::Code;
use thiserror::Error;

/// A refusal with a code of the application's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: Box<str>,
    /// For people.
    pub message: Box<str>,
    /// Whatever the client is to have beside, as JSON.
    pub data: Option<Box<str>>,
}

/// What became of a request that the backend did not answer as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BackendError {
    /// No answer in time, at any try.
    #[error("the backend did not answer in time; try again later")]
    Timeout,
    /// It could not be connected to, or the connection broke.
    #[error("the backend cannot be reached; try again later")]
    Unreachable,
    /// It answered with this HTTP status from 500 on.
    #[error("the backend failed; try again later")]
    Failed(u16),
    /// It refused: over HTTP, by a status from 400 to 499.
    #[error("the backend refused; change what was sent")]
    Refused {
        /// The HTTP status, where there is one.
        status: Option<u16>,
        /// The backend's own code, message and data, if it gave them.
        own: Option<Box<Refusal>>,
    },
    /// The request is larger than NATS takes; what is too large is what the client sent.
    #[error("the message is larger than NATS takes; send less")]
    TooLarge,
    /// Its answer was too large, no JSON, or not of the right form; this says which.
    #[error("the backend's answer could not be read; it is the application's fault")]
    AnswerInvalid(String),
    /// It failed so often that it is left alone for a while.
    #[error("the backend fails and is left alone for a while; try again later")]
    CircuitOpen,
    /// As many requests are under way as may be, or the backend said that it has too many.
    #[error("the backend is overloaded; try again later")]
    Overloaded,
}

impl BackendError {
    /// The stable code, for counters and for clients whom the backend gave none of its own.
    pub const fn code(&self) -> Code {
        match self {
            Self::Timeout => Code::BackendTimeout,
            Self::Unreachable => Code::BackendUnreachable,
            Self::Failed(_) => Code::BackendFailed,
            Self::Refused { .. } => Code::BackendRefused,
            Self::TooLarge => Code::MessageTooLarge,
            Self::AnswerInvalid(_) => Code::BackendAnswerInvalid,
            Self::CircuitOpen => Code::BackendCircuitOpen,
            Self::Overloaded => Code::BackendOverloaded,
        }
    }

    /// Whether the same request may be answered later.
    pub(crate) const fn passes(&self) -> bool {
        !matches!(
            self,
            Self::Refused { .. } | Self::TooLarge | Self::AnswerInvalid(_)
        )
    }
}
