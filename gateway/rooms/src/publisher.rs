//! Whose an id is.

use std::sync::Arc;

use crate::SessionId;

/// Who published a message. The ids that publishers give are their own: two messages are the same
/// one sent twice where the room, the id and the publisher are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Publisher {
    /// The application: all keys of the server API and all backends together.
    Application,
    /// A user, in whatever session.
    User(Arc<str>),
    /// A session that belongs to no user. It stays the same when it is recovered.
    Session(SessionId),
}
