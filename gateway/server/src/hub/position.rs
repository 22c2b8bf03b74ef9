//! How far a client says that it has read.

use sluice_rooms::Reading;

/// What a client that comes says of how far it has read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ClientPosition {
    /// Nothing: it has got no message with a position.
    #[default]
    None,
    /// This.
    Known(Reading),
    /// Something that this version cannot read. Nobody knows what the client has and what it
    /// lacks, so that its session cannot go on.
    Unreadable,
}

impl ClientPosition {
    /// Reads what a client sends.
    pub(crate) fn parse(text: Option<&str>) -> Self {
        match text.map(Reading::parse) {
            None => Self::None,
            Some(Some(reading)) => Self::Known(reading),
            Some(None) => Self::Unreadable,
        }
    }

    /// How far it has read, where that is known.
    pub(crate) fn reading(&self) -> Option<&Reading> {
        match self {
            Self::Known(reading) => Some(reading),
            Self::None | Self::Unreadable => None,
        }
    }

    /// Whether no gateway can tell how far the client has read by what it says alone.
    pub(super) fn is_vague(&self) -> bool {
        match self {
            Self::None => false,
            Self::Known(reading) => reading.is_vague(),
            Self::Unreadable => true,
        }
    }
}
