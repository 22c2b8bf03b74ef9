//! Why a connection is failed.

/// A breach of the protocol by the peer. The connection cannot go on: send [`super::close`] with
/// `code` and `reason`, then end it. The decoder that returned it is of no further use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ProtocolError {
    /// The close code to send (RFC 6455, section 7.4.1): 1002 for a broken frame, 1007 for data
    /// that is not what its type says, 1009 for a message over the bound.
    pub code: u16,
    /// A stable sentence that names the breach, short enough for a close frame.
    pub reason: &'static str,
}

const fn broken(reason: &'static str) -> ProtocolError {
    ProtocolError { code: 1002, reason }
}

const fn invalid(reason: &'static str) -> ProtocolError {
    ProtocolError { code: 1007, reason }
}

pub(super) const RESERVED_BITS: ProtocolError =
    broken("A frame has a reserved bit set that no extension defines.");
pub(super) const RESERVED_OPCODE: ProtocolError = broken("A frame has a reserved opcode.");
pub(super) const UNMASKED: ProtocolError = broken("A client must mask every frame it sends.");
pub(super) const CONTROL_TOO_LONG: ProtocolError =
    broken("A control frame carries more than 125 bytes.");
pub(super) const CONTROL_FRAGMENTED: ProtocolError = broken("A control frame is fragmented.");
pub(super) const LENGTH_NOT_MINIMAL: ProtocolError =
    broken("A frame's length is not written in the fewest bytes.");
pub(super) const LENGTH_SIGN: ProtocolError =
    broken("A frame's 64-bit length has its highest bit set.");
pub(super) const UNEXPECTED_CONTINUATION: ProtocolError =
    broken("A continuation frame came with no message to continue.");
pub(super) const EXPECTED_CONTINUATION: ProtocolError =
    broken("A new message began before the fragmented one before it ended.");
pub(super) const CLOSE_TOO_SHORT: ProtocolError =
    broken("A close frame's payload is one byte: half a code.");
pub(super) const CLOSE_CODE: ProtocolError =
    broken("A close frame has a code that must not be sent.");
pub(super) const TEXT_NOT_UTF8: ProtocolError = invalid("A text message is not valid UTF-8.");
pub(super) const REASON_NOT_UTF8: ProtocolError =
    invalid("A close frame's reason is not valid UTF-8.");
pub(super) const NOT_DEFLATE: ProtocolError =
    invalid("A compressed message is not valid DEFLATE data.");
pub(super) const TOO_BIG: ProtocolError = ProtocolError {
    code: 1009,
    reason: "A message is larger than this server accepts.",
};
