//! What no longer counts before its time.

#[cfg(test)]
mod tests;

use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use sluice_contract::Revocation;

use super::{AuthError, Identity};

/// The set has no room for another entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{limit} revocations are in force, which is as many as can be: revoke users rather than single tokens, or issue tokens that live shorter"
)]
pub struct RevocationsFull {
    /// How many entries there may be.
    pub limit: usize,
}

/// All that no longer counts. Asking costs at most three looks into a map, and none while the
/// set is empty.
///
/// Sets can be merged in any order and any number of times with the same result, so that they
/// can be told from gateway to gateway. As JSON a set is the list of its entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revocations {
    tokens: FxHashMap<Arc<str>, u64>,
    users: FxHashMap<Arc<str>, UserRevocation>,
    sessions: FxHashMap<Arc<str>, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct UserRevocation {
    issued: u64,
    until: u64,
}

impl Revocations {
    /// How many entries there may be; some 16 MiB.
    pub const LIMIT: usize = 100_000;

    /// Adds an entry, and returns whether that changes anything. Of two about the same thing the
    /// wider one counts. When the set is full, what `now` can be forgotten makes room first.
    pub fn revoke(&mut self, revocation: Revocation, now: u64) -> Result<bool, RevocationsFull> {
        if self.len() >= Self::LIMIT {
            self.forget(now);
        }
        if self.len() >= Self::LIMIT && !self.knows(&revocation) {
            return Err(RevocationsFull { limit: Self::LIMIT });
        }
        Ok(match revocation {
            Revocation::Token { id, until } => widen(&mut self.tokens, id, until),
            Revocation::Session { id, until } => widen(&mut self.sessions, id, until),
            Revocation::User { id, issued, until } => {
                let entry = self.users.entry(id).or_default();
                let wider = entry.issued < issued || entry.until < until;
                entry.issued = entry.issued.max(issued);
                entry.until = entry.until.max(until);
                wider
            }
        })
    }

    /// Refuses an identity whose token, user or session was revoked, as long as the entry is in
    /// force at `now`.
    pub fn check(
        &self,
        identity: &Identity,
        session: Option<&str>,
        now: u64,
    ) -> Result<(), AuthError> {
        if self.is_empty() {
            return Ok(());
        }
        let in_force = |until: &u64| now < *until;
        let token = identity.token_id().and_then(|id| self.tokens.get(id));
        let session = session.and_then(|id| self.sessions.get(id));
        let user = self
            .users
            .get(identity.user())
            .filter(|entry| !identity.is_anonymous() && identity.issued_at() <= entry.issued)
            .map(|entry| &entry.until);
        if [token, session, user].into_iter().flatten().any(in_force) {
            return Err(AuthError::Revoked);
        }
        Ok(())
    }

    /// Drops the entries that are no longer in force at `now`.
    pub fn forget(&mut self, now: u64) {
        self.tokens.retain(|_, until| now < *until);
        self.sessions.retain(|_, until| now < *until);
        self.users.retain(|_, entry| now < entry.until);
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.tokens.len() + self.users.len() + self.sessions.len()
    }

    /// Whether nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Revocation> + '_ {
        let tokens = self.tokens.iter().map(|(id, until)| Revocation::Token {
            id: Arc::clone(id),
            until: *until,
        });
        let sessions = self.sessions.iter().map(|(id, until)| Revocation::Session {
            id: Arc::clone(id),
            until: *until,
        });
        let users = self.users.iter().map(|(id, entry)| Revocation::User {
            id: Arc::clone(id),
            issued: entry.issued,
            until: entry.until,
        });
        tokens.chain(sessions).chain(users)
    }

    fn knows(&self, revocation: &Revocation) -> bool {
        match revocation {
            Revocation::Token { id, .. } => self.tokens.contains_key(id),
            Revocation::Session { id, .. } => self.sessions.contains_key(id),
            Revocation::User { id, .. } => self.users.contains_key(id),
        }
    }
}

fn widen<K: Hash + Eq>(entries: &mut FxHashMap<K, u64>, id: K, until: u64) -> bool {
    let entry = entries.entry(id).or_default();
    let wider = *entry < until;
    *entry = (*entry).max(until);
    wider
}

impl Serialize for Revocations {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Revocations {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut set = Self::default();
        for entry in Vec::<Revocation>::deserialize(deserializer)? {
            set.revoke(entry, 0).map_err(serde::de::Error::custom)?;
        }
        Ok(set)
    }
}
