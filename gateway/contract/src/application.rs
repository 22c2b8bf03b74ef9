//! What an application's instances and the gateways say to each other: `docs/application-protocol.md`.
//!
//! ```
//! use sluice_contract::application::{Entries, Entry};
//!
//! let mut stream = Vec::new();
//! Entry::new("emit").number(7).text("-").none().none().body(br#"["hi",{"a":1}]"#).write(&mut stream);
//!
//! // A stream comes in pieces that need not end where an entry does.
//! let mut entries = Entries::default();
//! entries.put(&stream[..9]);
//! assert!(entries.next().unwrap().is_none());
//! entries.put(&stream[9..]);
//! let emit = entries.next().unwrap().unwrap();
//! assert_eq!((emit.kind(), emit.number(0)), ("emit", Some(7)));
//! assert_eq!(&emit.bodies[0][..], br#"["hi",{"a":1}]"#);
//! ```

mod beat;
mod entries;
mod entry;
mod forms;
mod frame;
mod names;

pub use beat::{GatewayBeat, InstanceBeat};
pub use entries::{Entries, Malformed, Read};
pub use entry::Entry;
pub use forms::{
    Accept, Close, Connect, Gone, Handshake, Hello, Limits, Reason, Refuse, Selector, Welcome, Why,
};
pub use frame::{Frame, FrameKind, MAX_FRAME};
pub use names::ApplicationNames;

/// The version of the protocol that is written here.
pub const PROTOCOL: u32 = 1;

/// The most bytes of an entry: an event of the largest payload, its attachments, and what is around
/// them.
pub const MAX_ENTRY: usize = 64 * 1024 * 1024;
