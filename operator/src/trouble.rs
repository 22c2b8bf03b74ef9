//! What is in the way, as people are told.

use std::fmt;

use crate::reason;

/// What a trouble does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// Everything goes on; somebody should know.
    Notes,
    /// It is in the way, and may go by itself: it is looked at again and again.
    Waits,
    /// Nothing goes on until a person changes something.
    Stalls,
}

/// Something that is in the way: a reason for programs, in camel case, and a sentence for people
/// that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What it does.
    pub(crate) effect: Effect,
    /// The reason, which is stable.
    pub(crate) reason: &'static str,
    /// What is wrong and what to do.
    pub(crate) message: String,
}

impl Trouble {
    /// A trouble that only a person can mend.
    pub(crate) fn stalls(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Effect::Stalls, reason, message)
    }

    /// A trouble that may mend itself.
    pub(crate) fn waits(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Effect::Waits, reason, message)
    }

    /// Something to know.
    pub(crate) fn notes(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Effect::Notes, reason, message)
    }

    fn new(effect: Effect, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            effect,
            reason,
            message: message.into(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

/// What an API server said no to, or did not answer.
pub(crate) fn refused(doing: &str, error: &kube::Error) -> Trouble {
    let kube::Error::Api(status) = error else {
        let message =
            format!("{doing}: the API server cannot be reached ({error}); it is tried again");
        return Trouble::waits(reason::API_SERVER_UNAVAILABLE, message);
    };
    let said = &status.message;
    match status.code {
        403 if said.contains("exceeded quota") => Trouble::waits(
            reason::QUOTA_EXCEEDED,
            format!(
                "{doing}: a ResourceQuota of the Kubernetes namespace is used up ({said}); raise it or free some"
            ),
        ),
        403 if said.contains("being terminated") => Trouble::waits(
            reason::NAMESPACE_TERMINATING,
            format!("{doing}: the Kubernetes namespace is being deleted"),
        ),
        401 | 403 => Trouble::waits(
            reason::FORBIDDEN,
            format!(
                "{doing}: the operator may not do it ({said}); grant it the role that its chart brings"
            ),
        ),
        400 | 422 => Trouble::stalls(
            reason::REFUSED,
            format!(
                "{doing}: the API server does not take it ({said}); change the field that it names"
            ),
        ),
        404 => Trouble::waits(
            reason::API_MISSING,
            format!("{doing}: the API server does not know it ({said}); it is tried again"),
        ),
        409 => Trouble::waits(
            reason::CONFLICT,
            format!(
                "{doing}: somebody else changed it at the same time ({said}); it is tried again"
            ),
        ),
        _ => Trouble::waits(
            reason::API_SERVER_UNAVAILABLE,
            format!("{doing}: the API server cannot do it now ({said}); it is tried again"),
        ),
    }
}
