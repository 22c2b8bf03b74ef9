//! A new policy takes hold, while everyone stays connected.

use std::{rc::Rc, sync::Arc};

use serde::Serialize;
use sluice_policy::{Action, Policy};

use super::{Encoded, Hub, Session, namespace::Namespace, operations::may, room::Room};
use crate::failure::Failure;

impl Hub {
    pub(super) fn reload(self: &Rc<Self>, policy: Arc<Policy>) {
        if let Some(hook) = &*self.on_policy.borrow() {
            hook(&policy);
        }
        *self.policy.borrow_mut() = policy;
        let namespaces: Vec<_> = self.namespaces.borrow().values().cloned().collect();
        for namespace in namespaces {
            namespace.forget_empty();
            let rooms: Vec<_> = namespace.rooms.borrow().values().cloned().collect();
            for room in &rooms {
                self.reload_room(&namespace, room);
            }
        }
    }

    fn reload_room(self: &Rc<Self>, namespace: &Namespace, room: &Rc<Room>) {
        let policy = self.policy().room(&namespace.name, &room.key.name).cloned();
        let Some(policy) = policy else {
            return self.evict(room, |_| Err(Failure::ROOM_UNKNOWN));
        };
        if Arc::ptr_eq(&policy, &room.policy.borrow()) {
            return;
        }
        room.set_policy(policy);
        let settings = room.settings.get();
        // Says the new settings to the backbone; the subscription itself stays as it is.
        let worker = self.worker.index();
        let told = self.shared.backbone.subscribe(worker, &room.key, &settings);
        told.then(drop);
        self.evict(room, |session| may(Action::Join, session, room));
    }

    /// Takes those out of a room who may no longer be there, and tells them.
    fn evict(self: &Rc<Self>, room: &Rc<Room>, may_stay: impl Fn(&Session) -> Result<(), Failure>) {
        #[derive(Serialize)]
        struct Revoked<'a> {
            room: &'a str,
            reason: &'a str,
        }
        let members: Vec<_> = room
            .members
            .borrow()
            .iter()
            .map(|member| Rc::clone(&member.session))
            .collect();
        for session in members {
            let Err(failure) = may_stay(&session) else {
                continue;
            };
            // It was a member a moment ago, so it can leave.
            let _ = self.leave(&session, &room.key.name);
            let data = Revoked {
                room: &room.key.name,
                reason: &failure.message,
            };
            let _ = session.send(&Encoded::own(&room.key.namespace, "revoked", &data));
        }
    }
}
