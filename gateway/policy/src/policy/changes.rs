//! What a new snapshot changes.

use std::fmt;

use super::Policy;

/// What is different in a new snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The Room documents that are different.
    pub rooms: RoomChanges,
    /// The groups of the `RealtimeCluster`'s fields that are different and count at once.
    pub applied: Vec<&'static str>,
    /// The groups that are different and count only after a restart.
    pub restart_needed: Vec<&'static str>,
}

/// The names of Room documents that are different, in alphabetical order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomChanges {
    /// The Rooms that are new.
    pub added: Vec<Box<str>>,
    /// The Rooms that say something else than before.
    pub changed: Vec<Box<str>>,
    /// The Rooms that are gone.
    pub removed: Vec<Box<str>>,
}

impl Changes {
    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Policy {
    /// What is different from an earlier snapshot.
    pub fn changes_from(&self, earlier: &Self) -> Changes {
        let (new, old) = (&self.source, &earlier.source);
        let applied = [
            ("origins", new.origins != old.origins),
            (
                "auth",
                new.auth != old.auth || self.key_digest != earlier.key_digest,
            ),
            ("limits", new.limits != old.limits),
            ("heartbeat", new.heartbeat != old.heartbeat),
            ("recovery", new.recovery != old.recovery),
            ("namespaces", self.namespaces != earlier.namespaces),
            ("applications", new.applications != old.applications),
            ("rooms", new.rooms != old.rooms),
            ("backend", self.backend != earlier.backend),
            ("drain", new.drain != old.drain),
            (
                "gateway.maxConnections",
                self.max_connections != earlier.max_connections,
            ),
            ("gateway.keepAlive", self.keep_alive != earlier.keep_alive),
            (
                "gateway.proxyProtocol",
                self.proxy_protocol != earlier.proxy_protocol,
            ),
            (
                "gateway.socketioPath",
                self.socketio_path != earlier.socketio_path,
            ),
        ];
        let restart_needed = [
            ("tls", new.tls != old.tls),
            ("backbone", new.backbone != old.backbone),
            ("observability", new.observability != old.observability),
        ];
        let named = |all: &[(&'static str, bool)]| {
            all.iter()
                .filter(|(_, differs)| *differs)
                .map(|(name, _)| *name)
                .collect()
        };
        Changes {
            rooms: self.room_changes_from(earlier),
            applied: named(&applied),
            restart_needed: named(&restart_needed),
        }
    }

    fn room_changes_from(&self, earlier: &Self) -> RoomChanges {
        let mut changes = RoomChanges::default();
        for (name, room) in &self.by_name {
            match earlier.by_name.get(name) {
                None => changes.added.push(name.clone()),
                Some(old) if old.source != room.source => changes.changed.push(name.clone()),
                Some(_) => {}
            }
        }
        let gone = earlier
            .by_name
            .keys()
            .filter(|name| !self.by_name.contains_key(*name));
        changes.removed.extend(gone.cloned());
        for list in [
            &mut changes.added,
            &mut changes.changed,
            &mut changes.removed,
        ] {
            list.sort_unstable();
        }
        changes
    }
}

/// One line for the log.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing changed");
        }
        let mut between = "";
        let rooms = &self.rooms;
        for (what, names) in [
            ("changed", self.applied.join(", ")),
            ("Rooms added", rooms.added.join(", ")),
            ("Rooms changed", rooms.changed.join(", ")),
            ("Rooms removed", rooms.removed.join(", ")),
            ("only after a restart", self.restart_needed.join(", ")),
        ] {
            if !names.is_empty() {
                write!(f, "{between}{what}: {names}")?;
                between = "; ";
            }
        }
        Ok(())
    }
}
