//! What an attempt to be let in has done elsewhere, undone where it comes to nothing.

use std::{rc::Rc, sync::Arc};

use sluice_backbone::{Backbone, Error};
use sluice_net::Cause;
use sluice_policy::Identity;

use crate::{
    backend::{Accepted, Who},
    hub::Hub,
};

/// A session's place among its user's. When it is dropped, it is free again.
pub(super) struct Place(Option<(Arc<dyn Backbone>, Arc<str>)>);

impl Place {
    /// Of a session without a user, whose sessions nobody counts.
    pub(super) const fn uncounted() -> Self {
        Self(None)
    }

    /// One of the `most` places of a user, if one is free.
    pub(super) fn of(
        user: &Arc<str>,
        most: u32,
        backbone: &Arc<dyn Backbone>,
    ) -> Result<Self, Error> {
        backbone.enter(user, most)?;
        Ok(Self(Some((Arc::clone(backbone), Arc::clone(user)))))
    }

    /// The session has it until it ends.
    pub(super) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((backbone, user)) = self.0.take() {
            backbone.exit(&user);
        }
    }
}

/// The backend's yes to a session. When it is dropped, the backend is told that the session has
/// no connection, as of any other, so that it does not count one that never was.
pub(super) struct Asked {
    about: Option<(Rc<Hub>, Who)>,
    accepted: Accepted,
}

impl Asked {
    /// There was nobody to be asked.
    pub(super) fn nobody() -> Self {
        Self {
            about: None,
            accepted: Accepted::default(),
        }
    }

    /// It said yes.
    pub(super) fn about(who: Who, accepted: Accepted, hub: &Rc<Hub>) -> Self {
        Self {
            about: Some((Rc::clone(hub), who)),
            accepted,
        }
    }

    /// Whose session it is, given whose the client's token is.
    pub(super) fn identity(&self, identity: &Identity) -> Identity {
        match &self.accepted.granted {
            Some(granted) => granted.apply(identity.clone()),
            None => identity.clone(),
        }
    }

    /// The session is the client's: what the backend said of it.
    pub(super) fn keep(mut self) -> Accepted {
        self.about = None;
        std::mem::take(&mut self.accepted)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some((hub, who)) = self.about.take() {
            hub.tell_disconnected(who, Cause::Lost);
        }
    }
}
