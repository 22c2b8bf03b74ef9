//! Which sids other gateways have made.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::sid::{Sid, SidKey};

/// How long it is believed what a gateway said of its key. It keeps its number and its key as long
/// as it runs, but numbers may be drawn again.
const BELIEVED: Duration = Duration::from_mins(10);

/// The most gateways whose keys are kept.
const MOST: usize = 4_096;

/// The keys of other gateways by their numbers, and when they were heard. A gateway of 0.1.0 has
/// none, and its sids cannot be told from forged ones.
#[derive(Debug, Default)]
pub(super) struct Keys(HashMap<u32, (Option<SidKey>, Instant)>);

impl Keys {
    /// Whether the sid's gateway may have made it, if that is known.
    pub(super) fn made(&self, sid: Sid, now: Instant) -> Option<bool> {
        let (key, heard) = self.0.get(&sid.gateway)?;
        let believed = now.duration_since(*heard) < BELIEVED;
        believed.then(|| key.is_none_or(|key| key.made(sid)))
    }

    pub(super) fn learn(&mut self, gateway: u32, key: Option<SidKey>, now: Instant) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(gateway, (key, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_keys_are_kept_than_the_bound_and_none_for_ever() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        for gateway in 0..=MOST as u32 {
            keys.learn(gateway, None, now);
        }
        assert!(keys.0.len() <= MOST);
        let (key, other) = (SidKey::random(), SidKey::random());
        keys.learn(1, Some(key), now);
        let (made, forged) = (Sid::new(&key, 1, 0, 0), Sid::new(&other, 1, 0, 0));
        assert_eq!(keys.made(made, now), Some(true));
        assert_eq!(keys.made(forged, now), Some(false));
        assert_eq!(keys.made(made, now + BELIEVED), None);
        assert_eq!(keys.made(Sid::new(&key, 2, 0, 0), now), None);
        keys.learn(2, None, now);
        assert_eq!(keys.made(Sid::new(&key, 2, 0, 0), now), Some(true));
    }
}
