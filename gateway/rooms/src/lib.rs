//! Rooms as data: their names, messages, history, members and presence. No I/O, no clock, no
//! threads; everything here is a function of its arguments.
//!
//! A [`History`] never gives a part for the whole: what a reader missed is there in full, or the
//! reader is told that some of it is gone. The text of a [`Position`] or a [`Reading`], and the
//! [`RoomMark`] of a room, are the same in every version, as clients and other gateways keep them.
//!
//! ```
//! use sluice_rooms::{Epoch, Position, Reading, RoomKey, RoomMark};
//!
//! // Everything is read up to 42, but for one room, whose later messages were not delivered yet.
//! let position = Position { epoch: Epoch::from_bits(7), offset: 42 };
//! let (lobby, team) = (RoomKey::new("/", "lobby"), RoomKey::new("/", "team"));
//! let mut reading = Reading::of(position);
//! reading.hold_back(RoomMark::of(&team), 40);
//!
//! // The client keeps it as text, and brings it back to whichever gateway it comes to next.
//! let text = reading.to_string();
//! let reading = Reading::parse(&text).ok_or("not a reading")?;
//! assert_eq!(reading.in_room(&lobby), 42);
//! assert_eq!(reading.in_room(&team), 40);
//! # Ok::<(), &str>(())
//! ```

mod history;
mod key;
mod message;
mod position;
mod presence;
mod publisher;
mod reading;
mod session_id;
mod settings;

pub use history::{DUPLICATE_WINDOW, History, Page, Query, Replayed};
pub use key::{MAX_NAME, NameError, RoomKey, check_name};
pub use message::Message;
pub use position::{Epoch, Position};
pub use presence::{Announcement, Presence};
pub use publisher::Publisher;
pub use reading::{Reading, RoomMark};
pub use session_id::{Pid, SessionId};
pub use settings::{HistoryLimits, PresenceMode, RoomSettings, SlowConsumer};
