//! Who is in a room.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

/// Who came and who went since the last announcement. A user who did both is in neither.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announcement {
    /// Users that came.
    pub joined: Vec<Arc<str>>,
    /// Users that went.
    pub left: Vec<Arc<str>>,
}

/// The users in a room and how many sessions each has there.
#[derive(Debug, Default)]
pub struct Presence {
    users: FxHashMap<Arc<str>, u32>,
    sessions: u32,
    joined: FxHashSet<Arc<str>>,
    left: FxHashSet<Arc<str>>,
}

impl Presence {
    /// A session of `user` came. True where the user was not there before.
    pub fn join(&mut self, user: &Arc<str>) -> bool {
        self.sessions += 1;
        if let Some(sessions) = self.users.get_mut(user) {
            *sessions += 1;
            return false;
        }
        self.users.insert(Arc::clone(user), 1);
        if !self.left.remove(user) {
            self.joined.insert(Arc::clone(user));
        }
        true
    }

    /// A session of `user` went. True where it was the user's last one here.
    pub fn leave(&mut self, user: &Arc<str>) -> bool {
        let Some(sessions) = self.users.get_mut(user) else {
            return false;
        };
        self.sessions -= 1;
        *sessions -= 1;
        if *sessions > 0 {
            return false;
        }
        self.users.remove(user);
        if !self.joined.remove(user) {
            self.left.insert(Arc::clone(user));
        }
        true
    }

    /// Takes what is to be announced, if anything.
    pub fn announce(&mut self) -> Option<Announcement> {
        if self.joined.is_empty() && self.left.is_empty() {
            return None;
        }
        let sorted = |set: &mut FxHashSet<Arc<str>>| {
            let mut names: Vec<_> = std::mem::take(set).into_iter().collect();
            names.sort_unstable();
            names
        };
        Some(Announcement {
            joined: sorted(&mut self.joined),
            left: sorted(&mut self.left),
        })
    }

    /// Up to `limit` users, and how many there are.
    pub fn users(&self, limit: usize) -> (Vec<Arc<str>>, usize) {
        (
            self.users.keys().take(limit).cloned().collect(),
            self.users.len(),
        )
    }

    /// How many sessions are in the room.
    pub fn sessions(&self) -> u32 {
        self.sessions
    }

    /// Whether nobody is here and nothing is left to announce.
    pub fn is_empty(&self) -> bool {
        self.sessions == 0 && self.joined.is_empty() && self.left.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn user(name: &str) -> Arc<str> {
        name.into()
    }

    #[test]
    fn a_second_session_of_a_user_is_not_announced() {
        let mut presence = Presence::default();
        assert!(presence.join(&user("ann")));
        assert!(!presence.join(&user("ann")));
        assert_eq!(presence.announce().unwrap().joined, [user("ann")]);
        assert!(!presence.leave(&user("ann")));
        assert_eq!(presence.announce(), None);
        assert!(presence.leave(&user("ann")));
        assert_eq!(presence.announce().unwrap().left, [user("ann")]);
    }

    #[test]
    fn who_comes_back_between_two_announcements_never_left() {
        let mut presence = Presence::default();
        presence.join(&user("ann"));
        presence.announce();
        presence.leave(&user("ann"));
        presence.join(&user("ann"));
        assert_eq!(presence.announce(), None);
    }

    #[test]
    fn a_leave_without_a_join_changes_nothing() {
        let mut presence = Presence::default();
        assert!(!presence.leave(&user("ann")));
        assert!(presence.is_empty());
    }

    proptest! {
        #[test]
        fn announcements_add_up_to_who_is_there(steps in prop::collection::vec((0..4u8, any::<bool>(), any::<bool>()), 0..60)) {
            let mut presence = Presence::default();
            let mut seen = FxHashSet::default();
            let mut counts = [0u32; 4];
            for (who, join, announce) in steps {
                let name = user(&who.to_string());
                if join {
                    counts[who as usize] += 1;
                    presence.join(&name);
                } else if counts[who as usize] > 0 {
                    counts[who as usize] -= 1;
                    presence.leave(&name);
                }
                if let Some(news) = announce.then(|| presence.announce()).flatten() {
                    for name in news.joined { prop_assert!(seen.insert(name)); }
                    for name in news.left { prop_assert!(seen.remove(&name)); }
                }
            }
            if let Some(news) = presence.announce() {
                for name in news.joined { prop_assert!(seen.insert(name)); }
                for name in news.left { prop_assert!(seen.remove(&name)); }
            }
            let there = counts.iter().filter(|n| **n > 0).count();
            prop_assert_eq!(seen.len(), there);
            prop_assert_eq!(presence.users(10).1, there);
        }
    }
}
