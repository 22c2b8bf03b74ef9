//! What rooms there may be, and which Room document is for which.

mod pattern;
mod policy;
mod table;
mod tally;

pub use pattern::Pattern;
pub(crate) use policy::Rules;
pub use policy::{Action, History, Presence, RoomLimits, RoomPolicy};
pub(crate) use table::Table;
pub use tally::Tally;
