//! Why there is no answer.

use thiserror::Error;

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
        /// The backend's own code and message, if it gave them.
        own: Option<(Box<str>, Box<str>)>,
    },
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
    /// The stable code for counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Timeout => "backend_timeout",
            Self::Unreachable => "backend_unreachable",
            Self::Failed(_) => "backend_failed",
            Self::Refused { .. } => "backend_refused",
            Self::AnswerInvalid(_) => "backend_answer_invalid",
            Self::CircuitOpen => "backend_circuit_open",
            Self::Overloaded => "backend_overloaded",
        }
    }

    /// The code and message that a client is to get: the backend's own where it refused with
    /// them. They tell nothing of where the backend is.
    pub fn for_client(&self) -> (String, String) {
        match self {
            Self::Refused {
                own: Some((code, message)),
                ..
            } => (code.to_string(), message.to_string()),
            _ => (self.code().to_owned(), self.to_string()),
        }
    }

    /// Whether the same request may be answered later.
    pub(crate) const fn passes(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::AnswerInvalid(_))
    }
}
