//! Rooms as data: their names, messages, history, members and presence. No I/O, no clock, no
//! threads; everything here is a function of its arguments.

mod history;
mod key;
mod message;
mod position;
mod presence;
mod reading;
mod session_id;
mod settings;

pub use history::{History, Page, Query, Replayed};
pub use key::{MAX_NAME, NameError, RoomKey, check_name};
pub use message::Message;
pub use position::{Epoch, Position};
pub use presence::{Announcement, Presence};
pub use reading::{Reading, RoomMark};
pub use session_id::{Pid, SessionId};
pub use settings::{HistoryLimits, PresenceMode, RoomSettings, SlowConsumer};
