//! One application: its instances, and what goes back and forth.

mod ending;
mod greeting;
mod hearing;
mod recovering;

use std::{
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use bytes::Bytes;
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use rustc_hash::FxHashMap;
use sluice_contract::{
    GatewayNumber, Names,
    application::{ApplicationNames, Frame, GatewayBeat, MAX_FRAME, PROTOCOL},
};
use sluice_util::lock;
use tokio::sync::Notify;

use self::recovering::Recovering;
pub use self::recovering::Recovery;
use crate::{Arrival, Counters, Instance, Post, Sockets, roster::Roster, sorted::Sorted};

/// How often this gateway says that it is there.
const BEAT: Duration = Duration::from_millis(500);

/// What is around the payload of a frame.
const AROUND: usize = 256;

/// Who a gateway is to instances.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The cluster's names.
    pub names: Names,
    /// Its number.
    pub gateway: u32,
    /// Its name for people.
    pub name: Box<str>,
    /// Where it runs.
    pub zone: Option<Box<str>>,
    /// The most bytes of a client's event.
    pub payload_bytes: usize,
}

#[derive(Debug)]
struct State {
    /// What instances are picked by.
    random: SmallRng,
    roster: Roster,
    instances: FxHashMap<Box<str>, Arc<Instance>>,
    beat_at: Option<Instant>,
}

/// One application, as this gateway sees it.
#[derive(Debug)]
pub struct Application {
    name: Arc<str>,
    names: ApplicationNames,
    identity: Identity,
    gateway: String,
    post: Box<dyn Post>,
    state: Mutex<State>,
    wake: Arc<Notify>,
    sockets: Arc<dyn Sockets>,
    counters: Arc<Counters>,
    recovering: Mutex<Option<Recovering>>,
}

impl Application {
    /// One whose instances are reached through `post`. Whoever begins it hands on what comes from
    /// there, by [`Self::message`], and calls [`Self::tick`]. See [`Self::start`] for one that is
    /// reached over NATS. All its chances come from the `seed`.
    pub fn over(
        name: &str,
        identity: Identity,
        post: Box<dyn Post>,
        sockets: Arc<dyn Sockets>,
        seed: u64,
    ) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            names: identity.names.application(name),
            gateway: GatewayNumber(identity.gateway).to_string(),
            identity,
            post,
            state: Mutex::new(State {
                random: SmallRng::seed_from_u64(seed),
                roster: Roster::default(),
                instances: FxHashMap::default(),
                beat_at: None,
            }),
            wake: Arc::default(),
            sockets,
            counters: Arc::default(),
            recovering: Mutex::default(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Told whenever there is something to [flush](Self::flush).
    pub(crate) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.sockets.count()
    }

    /// Whether workers have so much to read that nothing more should come.
    pub(crate) fn is_full(&self) -> bool {
        self.sockets.is_full()
    }

    /// An instance for one more session, if there is one.
    pub fn pick(&self) -> Option<Arc<Instance>> {
        let mut state = lock(&self.state);
        let State {
            roster,
            instances,
            random,
            ..
        } = &mut *state;
        let open = |id: &str| instances.get(id).is_some_and(|it| it.ends().greeted);
        let random = |most: usize| random.random_range(0..most);
        let picked = roster.pick(self.identity.zone.as_deref(), open, random)?;
        instances.get(&picked).cloned()
    }

    /// Says that this gateway ends, and sends what is still to be sent.
    pub async fn end(&self) {
        self.flush(Instant::now());
        self.beat(true);
        self.post.close().await;
    }

    /// The way to instances is there, or there again: nobody could be heard before.
    pub fn connected(&self, now: Instant) {
        lock(&self.state).roster.connected(now);
        for instance in self.instances() {
            instance.ends().stream.remind();
            instance.send_soon();
        }
        self.beat(false);
    }

    /// A message came on one of the subjects that the gateway hears.
    pub fn message(&self, subject: &str, payload: &Bytes, now: Instant) {
        if subject == self.names.instance_beats() {
            self.heard(payload, now);
        } else {
            self.framed(payload, now);
        }
    }

    fn beat(&self, bye: bool) {
        let beat = GatewayBeat {
            protocol: PROTOCOL,
            gateway: GatewayNumber(self.identity.gateway),
            name: self.identity.name.clone(),
            zone: self.identity.zone.clone(),
            bye,
        };
        self.publish(&self.names.gateway_beats(), &beat.encode());
    }

    fn publish(&self, subject: &str, message: &[u8]) {
        self.post.publish(subject, message);
    }

    fn instances(&self) -> Vec<Arc<Instance>> {
        lock(&self.state).instances.values().cloned().collect()
    }

    /// Does what is due; it is to be called every 50 ms.
    pub fn tick(&self, now: Instant) {
        if self.post.is_connected() {
            let gone = lock(&self.state).roster.tick(now);
            for (id, fate) in gone {
                self.end_of(&id, fate);
            }
        }
        let mut held = 0;
        for instance in self.instances() {
            let mut ends = instance.ends();
            ends.stream.tick(now);
            held += ends.stream.held() as u64;
            drop(ends);
            self.send(&instance, now);
        }
        self.counters.held_bytes.store(held, Relaxed);
        self.tick_recovery(now);
        let mut state = lock(&self.state);
        if state.beat_at.is_none_or(|at| at <= now) {
            state.beat_at = Some(now + BEAT);
            drop(state);
            self.beat(false);
        }
    }

    /// Sends what waits for instances.
    pub fn flush(&self, now: Instant) {
        for instance in self.instances() {
            if instance.dirty.swap(false, Relaxed) {
                self.send(&instance, now);
            }
        }
    }

    fn send(&self, instance: &Instance, now: Instant) {
        let mut message = Vec::new();
        loop {
            let mut ends = instance.ends();
            if instance.is_gone() {
                return;
            }
            let before = ends.stream.sent_again();
            let Some(next) = ends.stream.next(now, MAX_FRAME - AROUND) else {
                return;
            };
            let again = ends.stream.sent_again() - before;
            drop(ends);
            self.counters.sent_again.fetch_add(again, Relaxed);
            let numbers = (instance.number(), next.numbers.0, next.numbers.1);
            message.clear();
            message.extend_from_slice(Frame::line(next.kind, &self.gateway, numbers).as_bytes());
            message.extend_from_slice(&next.payload);
            self.publish(&instance.subject, &message);
        }
    }

    fn deliver_to_all(&self, arrival: &Arrival) {
        let mut arrivals = Sorted::new(self.sockets.count());
        arrivals.add_to_all(arrival);
        arrivals.deliver(&*self.sockets);
    }
}
