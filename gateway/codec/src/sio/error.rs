//! Why a packet is not Socket.IO.

/// A packet that breaks the protocol. The JavaScript server closes the connection on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first character is no type.
    #[error("A Socket.IO packet has an unknown type; it must begin with 0 to 6.")]
    UnknownType,
    /// A binary packet does not say how many attachments it has.
    #[error("A binary Socket.IO packet must say how many attachments follow, as in 51-[…].")]
    InvalidAttachments,
    /// More attachments than [`super::MAX_ATTACHMENTS`].
    #[error("A Socket.IO packet announces too many attachments; send at most 32.")]
    TooManyAttachments,
    /// A name longer than [`super::MAX_NAMESPACE`].
    #[error("A Socket.IO namespace is too long; use at most 256 bytes.")]
    NamespaceTooLong,
    /// A control character in the name.
    #[error("A Socket.IO namespace contains a control character.")]
    InvalidNamespace,
    /// An id above 64 bits, or one in a packet that has none.
    #[error("A Socket.IO packet has an acknowledgement id that is too large or not allowed there.")]
    InvalidId,
    /// An ack that answers nothing.
    #[error("A Socket.IO ack has no id of the event that it answers.")]
    MissingId,
    /// The payload is not JSON of the form that the kind wants.
    #[error("A Socket.IO packet has a payload that is not the JSON its type wants.")]
    InvalidPayload,
    /// Nested deeper than [`super::MAX_DEPTH`].
    #[error("A Socket.IO payload nests too deep; use at most 127 levels.")]
    TooDeep,
    /// More arguments than [`super::MAX_ARGS`].
    #[error("A Socket.IO payload has too many arguments; send at most 128.")]
    TooManyArgs,
    /// An event name that means something to Socket.IO itself.
    #[error("A Socket.IO event has a reserved name; choose another one.")]
    ReservedEvent,
    /// A placeholder without an attachment.
    #[error("A Socket.IO payload refers to an attachment that the packet does not announce.")]
    InvalidPlaceholder,
}

impl Error {
    /// The stable code for logs, counters and answers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownType => "socketio_unknown_type",
            Self::InvalidAttachments => "socketio_invalid_attachments",
            Self::TooManyAttachments => "socketio_too_many_attachments",
            Self::NamespaceTooLong => "socketio_namespace_too_long",
            Self::InvalidNamespace => "socketio_invalid_namespace",
            Self::InvalidId => "socketio_invalid_id",
            Self::MissingId => "socketio_missing_id",
            Self::InvalidPayload => "socketio_invalid_payload",
            Self::TooDeep => "socketio_too_deep",
            Self::TooManyArgs => "socketio_too_many_args",
            Self::ReservedEvent => "socketio_reserved_event",
            Self::InvalidPlaceholder => "socketio_invalid_placeholder",
        }
    }
}
