//! Sessions that lost their connection, and what was emitted meanwhile.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use sluice_contract::application::Read;
use sluice_util::lock;
use tokio::sync::oneshot;

use super::Application;
use crate::{
    Absent, Arrival, Cast, Claim, Claimed, Deed, Emission, Gone, Mark, Missed,
    absent::Absents,
    log::{Emitted, Log},
};

/// The part of the bytes that sessions without a connection may take.
const ABSENTS: usize = 4;

/// How lost connections are recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// How long a session waits for its client.
    pub window: Duration,
    /// How long it may take until a connection is known to be lost.
    pub unnoticed: Duration,
    /// The most bytes that are kept for that.
    pub bytes: usize,
}

#[derive(Debug)]
pub(super) struct Recovering {
    settings: Recovery,
    log: Log,
    absents: Absents,
}

impl Recovering {
    fn tick(&mut self, now: Instant) {
        let Recovery {
            window,
            unnoticed,
            bytes,
        } = self.settings;
        self.absents.expire(window, now);
        // Without anybody away, what was sent may still have been lost with a connection that
        // nobody has missed yet.
        let away = if self.absents.len() == 0 {
            Duration::ZERO
        } else {
            window
        };
        let most = bytes.saturating_sub(self.absents.bytes());
        self.log.forget(unnoticed + away, most, now);
    }

    fn add(&mut self, emitted: Emitted, now: Instant) {
        self.log.add(emitted, now);
        if self.bytes() > self.settings.bytes {
            self.tick(now);
        }
    }

    fn bytes(&self) -> usize {
        self.log.bytes() + self.absents.bytes()
    }

    /// The mark of an emission that is about to be added, or is not kept.
    fn mark(&self, emission: &Emission) -> Option<Mark> {
        let log = self.log.number;
        if emission.is_kept() {
            let seq = self.log.next();
            return Some(Mark { log, seq });
        }
        let seq = self.log.last();
        emission.ends_like_marked().then_some(Mark { log, seq })
    }
}

impl Application {
    /// Recovers lost connections from here on, or no more.
    pub fn recover_with(&self, settings: Option<Recovery>) {
        let mut recovering = lock(&self.recovering);
        match (settings, &mut *recovering) {
            (Some(settings), Some(recovering)) => recovering.settings = settings,
            (Some(settings), none) => {
                *none = Some(Recovering {
                    settings,
                    log: Log::new(rand::random()),
                    absents: Absents::default(),
                });
            }
            (None, some) => *some = None,
        }
    }

    /// Whether lost connections are recovered.
    pub fn recovers(&self) -> bool {
        lock(&self.recovering).is_some()
    }

    /// Which log the numbers of emissions are of; 0 where lost connections are not recovered.
    pub fn log(&self) -> u64 {
        let recovering = lock(&self.recovering);
        recovering
            .as_ref()
            .map_or(0, |recovering| recovering.log.number)
    }

    /// Keeps a session for its client. One that began before the log did is not kept.
    pub fn keep(&self, absent: Absent) {
        if let Some(recovering) = &mut *lock(&self.recovering)
            && recovering.log.number == absent.log
        {
            let most = recovering.settings.bytes / ABSENTS;
            recovering.absents.add(absent, most, Instant::now());
        }
    }

    /// The session that is claimed, wherever in this gateway it is. It is kept no longer.
    pub async fn take_absent(&self, claim: &Claim) -> Option<Absent> {
        if let Some(absent) = self.absent(claim) {
            return Some(absent);
        }
        let (sender, done) = oneshot::channel();
        let claimed = Claimed {
            claim: claim.clone(),
            _done: sender,
        };
        self.deliver_to_all(&Arrival::Claimed(Arc::new(claimed)));
        // The last worker drops it, which is the answer.
        let _ = done.await;
        self.absent(claim)
    }

    fn absent(&self, claim: &Claim) -> Option<Absent> {
        lock(&self.recovering).as_mut()?.absents.take(claim)
    }

    /// Behind which number a session's client has got nothing, by the last mark that it got.
    ///
    /// # Errors
    /// Where the mark is of another log.
    pub fn got(&self, absent: &Absent, mark: Option<Mark>) -> Result<u64, Gone> {
        let recovering = lock(&self.recovering);
        let log = recovering.as_ref().map(|recovering| recovering.log.number);
        match mark {
            None => Ok(absent.began),
            Some(mark) if Some(mark.log) == log => Ok(mark.seq),
            Some(_) => Err(Gone),
        }
    }

    /// What a session missed behind one number, up to another.
    ///
    /// # Errors
    /// Where not all of it is there any more.
    pub fn missed(&self, absent: &Absent, from: u64, through: u64) -> Result<Vec<Missed>, Gone> {
        let recovering = lock(&self.recovering);
        let recovering = recovering.as_ref().ok_or(Gone)?;
        recovering.log.missed(absent, from, through)
    }

    pub(super) fn tick_recovery(&self, now: Instant) {
        if let Some(recovering) = &mut *lock(&self.recovering) {
            recovering.tick(now);
            let bytes = recovering.bytes() as u64;
            self.counters.recovery_bytes.store(bytes, Relaxed);
        }
    }

    /// An instance says something to one session: the number of the last emission with that, and
    /// its mark where it is one.
    pub(super) fn log_said(&self, handle: u64, entry: &Read, now: Instant) -> (u64, Option<Mark>) {
        let mut recovering = lock(&self.recovering);
        let Some(recovering) = &mut *recovering else {
            return (0, None);
        };
        let emission = (entry.kind() == "emit").then(|| Emission::of(entry, 1, 0));
        let Some(mut emission) = emission.flatten() else {
            return (recovering.log.last(), None);
        };
        emission.mark = recovering.mark(&emission);
        let mark = emission.mark;
        if emission.is_kept() {
            emission.own();
            recovering.add(Emitted::Alone(handle, emission), now);
        }
        (recovering.log.last(), mark)
    }

    /// The same for all who are selected.
    pub(super) fn log_cast(&self, mut cast: Cast, now: Instant) -> Arc<Cast> {
        let mut recovering = lock(&self.recovering);
        let Some(recovering) = &mut *recovering else {
            return Arc::new(cast);
        };
        let mut kept = false;
        if let Deed::Emit(emission) = &mut cast.deed {
            kept = emission.is_kept();
            emission.mark = recovering.mark(emission);
            if kept {
                emission.own();
            }
        }
        cast.seq = recovering.log.last() + u64::from(kept);
        let cast = Arc::new(cast);
        if kept {
            recovering.add(Emitted::Cast(Arc::clone(&cast)), now);
        }
        cast
    }
}
