//! How many sessions each user has.

use std::sync::{Arc, Mutex, MutexGuard};

use rustc_hash::FxHashMap;
use sluice_util::lock;

use crate::Error;

#[derive(Debug, Default)]
pub(super) struct Users(Mutex<FxHashMap<Arc<str>, u32>>);

impl Users {
    fn lock(&self) -> MutexGuard<'_, FxHashMap<Arc<str>, u32>> {
        lock(&self.0)
    }

    pub(super) fn enter(&self, user: &Arc<str>, limit: u32) -> Result<(), Error> {
        let mut users = self.lock();
        match users.get_mut(user) {
            Some(sessions) if *sessions >= limit => return Err(Error::UserConnections),
            Some(sessions) => *sessions += 1,
            None if limit == 0 => return Err(Error::UserConnections),
            None => {
                users.insert(Arc::clone(user), 1);
            }
        }
        Ok(())
    }

    pub(super) fn exit(&self, user: &Arc<str>) {
        let mut users = self.lock();
        if let Some(sessions) = users.get_mut(user) {
            *sessions -= 1;
            if *sessions == 0 {
                users.remove(user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_as_many_sessions_as_allowed() {
        let (users, ann) = (Users::default(), Arc::from("ann"));
        assert_eq!(users.enter(&ann, 1), Ok(()));
        assert_eq!(users.enter(&ann, 1), Err(Error::UserConnections));
        users.exit(&ann);
        assert_eq!(users.enter(&ann, 1), Ok(()));
    }

    #[test]
    fn a_user_who_may_have_no_session_gets_none() {
        assert_eq!(
            Users::default().enter(&"ann".into(), 0),
            Err(Error::UserConnections)
        );
    }

    #[test]
    fn a_user_without_sessions_is_forgotten() {
        let (users, ann) = (Users::default(), Arc::from("ann"));
        users.exit(&ann);
        users.enter(&ann, 1).unwrap();
        users.exit(&ann);
        assert!(users.lock().is_empty());
    }
}
