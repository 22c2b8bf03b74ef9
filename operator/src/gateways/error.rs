//! Why a gateway could not be asked.

use thiserror::Error;

/// Why a gateway did not answer as it should.
#[derive(Debug, Error)]
pub enum GatewayError {
    /// No connection, or none in time: the pod is gone, starts, or a network policy is in between.
    #[error("the gateway at {address} cannot be reached: {why}")]
    Unreachable {
        /// Where it was sought.
        address: String,
        /// What the network says.
        why: String,
    },
    /// Nothing listens there: the gateway has ended, or starts.
    #[error("no gateway listens at {address}")]
    Absent {
        /// Where it was sought.
        address: String,
    },
    /// It took the request and did not answer in time.
    #[error("the gateway at {address} did not answer within {seconds} seconds")]
    Slow {
        /// Which gateway.
        address: String,
        /// How long it had.
        seconds: u64,
    },
    /// It refuses the operator's key.
    #[error(
        "the gateway at {address} refuses the operator's key ({code}); look at the Secret that both read it from"
    )]
    Forbidden {
        /// Which gateway.
        address: String,
        /// The code of the refusal, which is stable.
        code: String,
    },
    /// It refuses what is asked of it.
    #[error("the gateway at {address} refuses: {message} ({code})")]
    Refused {
        /// Which gateway.
        address: String,
        /// The code of the refusal, which is stable.
        code: String,
        /// The reason of the refusal, a sentence.
        message: String,
    },
    /// It answers what this version does not understand.
    #[error("the gateway at {address} answers something that is not understood: {why}")]
    Unclear {
        /// Which gateway.
        address: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The kinds of [`GatewayError`], for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GatewayErrorKind {
    /// [`GatewayError::Unreachable`] and [`GatewayError::Absent`].
    Unreachable,
    /// [`GatewayError::Slow`].
    Slow,
    /// [`GatewayError::Forbidden`].
    Forbidden,
    /// [`GatewayError::Refused`].
    Refused,
    /// [`GatewayError::Unclear`].
    Unclear,
}

impl GatewayError {
    /// Its kind.
    pub const fn kind(&self) -> GatewayErrorKind {
        match self {
            Self::Unreachable { .. } | Self::Absent { .. } => GatewayErrorKind::Unreachable,
            Self::Slow { .. } => GatewayErrorKind::Slow,
            Self::Forbidden { .. } => GatewayErrorKind::Forbidden,
            Self::Refused { .. } => GatewayErrorKind::Refused,
            Self::Unclear { .. } => GatewayErrorKind::Unclear,
        }
    }
}

impl GatewayErrorKind {
    /// The kind as a label of a metric.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Slow => "slow",
            Self::Forbidden => "forbidden",
            Self::Refused => "refused",
            Self::Unclear => "unclear",
        }
    }
}
