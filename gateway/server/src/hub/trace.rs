//! Following one user, room or session in the logs while the gateway runs.

use super::{Hub, Session, room::Room};
use crate::{operation::Operation, trace::Filter};

impl Hub {
    /// Logs what becomes of a session, where somebody wants to know.
    pub(super) fn trace_session(&self, what: &'static str, session: &Session, room: Option<&str>) {
        let Some(filter) = self.shared.trace.filter() else {
            return;
        };
        if concerns(&filter, session, room) {
            let (user, namespace) = (session.user(), &session.namespace.name);
            tracing::info!(session = %session.id, %user, %namespace, room, what, "trace: session");
        }
    }

    /// Logs what a session asks for.
    pub(super) fn trace_operation(&self, session: &Session, operation: &Operation<'_>) {
        let Some(filter) = self.shared.trace.filter() else {
            return;
        };
        let room = operation.room();
        if concerns(&filter, session, room) {
            let (user, operation) = (session.user(), operation.name());
            tracing::info!(session = %session.id, %user, room, operation, "trace: operation");
        }
    }

    /// Logs to how many members a message went.
    pub(super) fn trace_delivery(&self, room: &Room, offset: u64, delivered: u64) {
        let Some(filter) = self.shared.trace.filter() else {
            return;
        };
        let members = room.members.borrow();
        let concerned = match &*filter {
            Filter::Room(name) => **name == *room.key.name,
            Filter::Session(id) => members.iter().any(|member| member.session.id == *id),
            Filter::User(user) => members.iter().any(|m| *m.session.user() == **user),
        };
        if concerned {
            let worker = self.worker.index();
            tracing::info!(room = %room.key.name, offset, delivered, worker, "trace: delivery");
        }
    }
}

fn concerns(filter: &Filter, session: &Session, room: Option<&str>) -> bool {
    match filter {
        Filter::User(user) => **user == *session.user(),
        Filter::Session(id) => *id == session.id,
        Filter::Room(name) => match room {
            Some(room) => room == &**name,
            None => session
                .rooms
                .borrow()
                .iter()
                .any(|m| *m.room.key.name == **name),
        },
    }
}
