//! A new policy takes hold, while everyone stays connected.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use sluice_policy::{Action, Policy};

use super::{Encoded, Hub, Session, namespace::Namespace, operations::may, room::Room};
use crate::{eager, failure::Failure};

/// How long members are put out of a room before others run.
const SLICE: Duration = Duration::from_micros(500);

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
            return self.evict(room);
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
        self.evict(room);
    }

    /// Takes those out of a room who may no longer be there, and tells them: some now, and the rest
    /// in slices of time, so that many of them do not hold up those that stay.
    fn evict(self: &Rc<Self>, room: &Rc<Room>) {
        let members: Vec<_> = {
            let members = room.members.borrow();
            members.iter().map(|m| Rc::clone(&m.session)).collect()
        };
        let (hub, room) = (Rc::clone(self), Rc::clone(room));
        let evicting = async move {
            let mut began = Instant::now();
            for session in members {
                hub.evict_one(&session, &room);
                if began.elapsed() > SLICE {
                    tokio::task::yield_now().await;
                    began = Instant::now();
                }
            }
        };
        eager::run(evicting, |()| {});
    }

    fn evict_one(self: &Rc<Self>, session: &Rc<Session>, room: &Rc<Room>) {
        #[derive(Serialize)]
        struct Revoked<'a> {
            room: &'a str,
            reason: &'a str,
        }
        let Err(failure) = self.may_stay(session, room) else {
            return;
        };
        // It may have left by itself meanwhile.
        if self.leave(session, &room.key.name).is_ok() {
            let data = Revoked {
                room: &room.key.name,
                reason: &failure.message,
            };
            let _ = session.send(&Encoded::own(&room.key.namespace, "revoked", &data));
        }
    }

    fn may_stay(&self, session: &Session, room: &Room) -> Result<(), Failure> {
        let policy = self.policy();
        let known = policy.room(&room.key.namespace, &room.key.name);
        known.ok_or(Failure::ROOM_UNKNOWN)?;
        may(Action::Join, session, room)
    }
}
