//! Where rooms are among the subjects.

use std::sync::Arc;

use sluice_rooms::RoomKey;

/// A room as two tokens of a subject: its namespace and its name.
pub(crate) type Place = Arc<str>;

/// Where a room is among the subjects.
pub(crate) fn place(room: &RoomKey) -> Place {
    sluice_contract::place(&room.namespace, &room.name)
}

/// The room at a place; `None` where nothing of ours is called so.
pub(crate) fn room(place: &str) -> Option<RoomKey> {
    let (namespace, name) = sluice_contract::at_place(place)?;
    Some(RoomKey::new(namespace, name))
}
