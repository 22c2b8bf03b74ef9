//! What gateways, the operator, the command line and client libraries say to each other, written
//! once.
//!
//! Here are the names of subjects, streams and buckets, and the forms of what is said under them.
//! There is no input or output and no clock, and no other crate of the gateway: whoever speaks
//! with a fleet can depend on this alone.
//!
//! # A subject is written and read in one place
//!
//! ```
//! use sluice_contract::{GatewayNumber, Names, Subject, place};
//!
//! let names = Names::new("default", "chat");
//! let subject = names.stored(&place("/", "lobby"));
//! assert_eq!(subject, "sluice.default.chat.in.=2F.lobby");
//! assert_eq!(names.parse(&subject), Some(Subject::Stored("=2F.lobby")));
//!
//! let session = names.session(GatewayNumber(10), "Zk3x");
//! assert_eq!(session, "sluice.default.chat.sess.0000000a.Zk3x");
//!
//! // What a newer version says under a subject of its own is told from what is nobody's.
//! assert_eq!(
//!     names.parse("sluice.default.chat.later.x"),
//!     Some(Subject::Newer("later"))
//! );
//! assert_eq!(names.parse("sluice.other.chat.in.=2F.lobby"), None);
//! ```

pub mod application;
mod close;
mod code;
mod decoded;
mod documents;
mod drain;
mod envelope;
mod epoch;
mod finalised;
mod fleet;
mod heartbeat;
pub mod metrics;
mod names;
mod number;
mod refusal;
mod revocation;
mod rights;
mod session;
mod wire;

pub use close::Cause;
pub use code::Code;
pub use decoded::{Decoded, is_of_newer_kind};
pub use documents::documents_digest;
pub use drain::{DrainPhase, DrainProgress, DrainRequest};
pub use envelope::{ENVELOPE_BYTES, Envelope, MAX_ATTACHMENTS, USUAL_MAX_PAYLOAD};
pub use epoch::EpochMark;
pub use finalised::Finalised;
pub use fleet::{FleetStatus, GatewayState, GatewayStatus, PolicyStatus, RoomCount, RoomCounts};
pub use heartbeat::{Draining, Heartbeat, Status};
pub use metrics::{Metric, MetricKind};
pub use names::{
    Call, Names, Subject, at_place, message_id, message_id_after, place, token, untoken,
};
pub use number::GatewayNumber;
pub use refusal::{Reason, RefusalBody};
pub use revocation::Revocation;
pub use rights::{Rights, Role};
pub use session::{EndMark, SessionEntry, SessionRecord};
pub use wire::WireVersion;
