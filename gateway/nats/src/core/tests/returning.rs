//! Ann, who comes back, and her session.

use std::sync::Arc;

use sluice_backbone::{Claim, Stored};
use sluice_rooms::{Pid, RoomKey};

pub(super) fn claim(pid: Pid) -> Claim {
    Claim {
        pid,
        user: "ann".into(),
        namespace: "/".into(),
        read: None,
    }
}

/// As it is stored.
pub(super) fn session(pid: Pid) -> Stored {
    Stored {
        session: pid.session(),
        user: Arc::from("ann"),
        namespace: Arc::from("/"),
        rooms: vec![(RoomKey::new("/", "r"), 2)],
        caught_up: Vec::new(),
        came: None,
    }
}
