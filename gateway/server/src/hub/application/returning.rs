//! Clients that lost their connection and come back to their session.

use std::{rc::Rc, sync::Arc};

use sluice_applications::{Absent, Claim, Gone, Mark};
use sluice_backbone::Error;
use sluice_net::Cause;
use sluice_policy::Identity;
use sluice_rooms::Pid;

use super::{
    super::{Encoded, Hub, Knock, Session, attached::Trail},
    Attached,
};

/// A session that its client came back to.
pub(in crate::hub) struct Returning {
    pub(super) pid: Pid,
    absent: Absent,
    /// Behind which number its client has got nothing.
    got: u64,
}

impl Returning {
    /// Makes a session what it was.
    pub(super) fn put_into(self, attached: &Attached) {
        let Absent {
            rooms,
            handles,
            data,
            rev,
            began,
            unknown,
            log,
            ..
        } = self.absent;
        let trail = Trail {
            rooms,
            handles,
            log,
            began,
            unknown,
        };
        *attached.rooms.borrow_mut() = trail.current().cloned().collect();
        *attached.trail.borrow_mut() = trail;
        *attached.data.borrow_mut() = data;
        attached.rev.set(rev);
        attached.returned.set(Some(self.got));
    }
}

impl Hub {
    /// The session that a client says it had, where all that it missed can be given to it.
    pub(in crate::hub) async fn returning(
        &self,
        knock: &Knock,
        identity: &Identity,
        application: &str,
    ) -> Option<Returning> {
        let application = self.shared.applications.get(application)?;
        let pid = knock.pid.filter(|_| application.recovers())?;
        if self.refuse_revoked(identity, Some(pid.session())).is_err() {
            return None;
        }
        let claim = Claim {
            pid: pid.reveal().into(),
            user: Arc::clone(identity.user()),
            namespace: (*knock.namespace).into(),
        };
        let Some(absent) = application.take_absent(&claim).await else {
            self.counters.recovery_unknown.add(1);
            return None;
        };
        let mark = knock.offset.as_deref().map(Mark::parse);
        let got = match mark {
            // What cannot be read was written by no gateway that knows how far the client is.
            Some(None) => Err(Gone),
            mark => application.got(&absent, mark.flatten()),
        };
        let got = got.and_then(|got| {
            let missed = application.missed(&absent, got, u64::MAX)?;
            let bytes = missed.iter().map(|missed| missed.emission.size());
            self.fits_at_once(bytes.sum()).then_some(got).ok_or(Gone)
        });
        let Ok(got) = got else {
            self.counters.not_recovered(Error::Gone);
            return None;
        };
        Some(Returning { pid, absent, got })
    }

    /// Whether so much can be sent to a client at once.
    fn fits_at_once(&self, bytes: usize) -> bool {
        bytes <= self.policy.borrow().limits.outbound_bytes / 2
    }

    /// An instance lets a session in: from here on it is known where it is.
    pub(super) fn begin_trail(&self, attached: &Attached, rooms: &[Arc<str>], seq: u64) {
        let mut trail = attached.trail.borrow_mut();
        let left: Vec<_> = trail
            .current()
            .filter(|room| !rooms.contains(room))
            .cloned()
            .collect();
        for room in left {
            trail.leave(&room, seq);
        }
        if attached.returned.get().is_none() {
            let application = self.shared.applications.get(&attached.application);
            trail.log = application.map_or(0, |application| application.log());
            trail.began = seq;
        }
        trail.called(attached.handle, seq);
    }

    /// What a client missed up to here; what comes behind is said to its session.
    pub(super) fn find_missed(&self, session: &Session, attached: &Attached, seq: u64) {
        let application = self.shared.applications.get(&attached.application);
        if let (Some(got), Some(application)) = (attached.returned.get(), application) {
            let absent = absent_of(session, attached);
            *attached.missed.borrow_mut() = application.missed(&absent, got, seq);
        }
    }

    /// Sends a client that came back what it missed, which its session has no longer after that.
    pub(crate) fn send_missed(&self, session: &Session) {
        let Some(attached) = session.attached() else {
            return;
        };
        let missed = attached.missed.replace(Ok(Vec::new())).unwrap_or_default();
        for missed in missed {
            let emission = &missed.emission;
            if let Some(array) = self.array_of(emission) {
                let name = &session.namespace.name;
                let encoded = Encoded::emitted(name, array, &emission.attachments, emission.mark);
                session.send_or_close(&encoded);
                self.counters.deliveries.add(1);
            }
        }
    }

    /// A session has no connection any more: its client may come back to it.
    pub(super) fn keep_absent(&self, session: &Session, attached: &Attached) {
        if let Some(application) = self.shared.applications.get(&attached.application) {
            application.keep(absent_of(session, attached));
        }
    }

    /// A client claims a session whose connection is not known to be lost.
    pub(super) fn claimed_attached(self: &Rc<Self>, claim: &Claim) {
        let Some(pid) = Pid::parse(&claim.pid) else {
            return;
        };
        let is_claimed = |session: &Rc<Session>| {
            session.pid == pid
                && session.user() == claim.user
                && session.namespace.name == claim.namespace
        };
        let pending = self
            .attached
            .returning
            .borrow()
            .get(&pid.session())
            .cloned();
        if let Some(session) = pending.filter(is_claimed)
            && let Some(attached) = session.attached()
        {
            // Its client has given up that attempt.
            attached.claimed.set(true);
            return self.keep_absent(&session, attached);
        }
        let session = self.session(pid.session()).filter(is_claimed);
        let Some(session) = session else {
            return;
        };
        if let Some(attached) = session.attached() {
            self.keep_absent(&session, attached);
            // The old connection is most likely dead; if not, its client must not fight the new one.
            session.close(Cause::Replaced);
            if !session.ended.get() {
                self.disconnected_attached(&session, Cause::Lost);
            }
        }
    }
}

fn absent_of(session: &Session, attached: &Attached) -> Absent {
    let trail = attached.trail.borrow();
    Absent {
        pid: session.pid.reveal().into(),
        session: session.id.to_string().into(),
        user: session.user(),
        namespace: Arc::clone(&session.namespace.name),
        log: trail.log,
        rooms: trail.rooms.clone(),
        handles: trail.handles.clone(),
        data: attached.data.borrow().clone(),
        rev: attached.rev.get(),
        began: trail.began,
        unknown: trail.unknown,
        left: None,
    }
}
