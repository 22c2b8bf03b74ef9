//! One application: its connection, its instances, and what goes back and forth.

use std::{
    io,
    sync::{Arc, Mutex, Weak, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use sluice_contract::{
    GatewayNumber, Names,
    application::{
        ApplicationNames, Entry, Frame, FrameKind, GatewayBeat, Hello, InstanceBeat, Limits,
        MAX_FRAME, PROTOCOL, Read, Reason, Welcome,
    },
};
use sluice_nats::{
    Packet,
    link::{Handler, Link, NO_HEADERS, Options, ServerInfo, link},
};
use sluice_util::lock;
use tokio::{sync::Notify, time::MissedTickBehavior};

use crate::{
    Arrival, Cast, Counters, Instance, Sockets,
    counters::add,
    roster::{Fate, Roster},
};

/// How often this gateway says that it is there.
const BEAT: Duration = Duration::from_millis(500);

/// How often what is due is done.
const TICK: Duration = Duration::from_millis(50);

/// What is around the payload of a frame.
const AROUND: usize = 256;

/// The worker is in the bits from here on of a handle.
const WORKER: u32 = 40;

/// The handle of a worker's session of that number, from 1.
pub const fn handle(worker: usize, number: u64) -> u64 {
    ((worker as u64) << WORKER) | number
}

/// Whose session a handle names.
pub const fn worker_of(handle: u64) -> usize {
    (handle >> WORKER) as usize
}

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

#[derive(Default)]
struct State {
    roster: Roster,
    instances: FxHashMap<Box<str>, Arc<Instance>>,
}

/// One application, as this gateway sees it.
pub struct Application {
    name: Arc<str>,
    names: ApplicationNames,
    identity: Identity,
    gateway: String,
    link: Link,
    state: Mutex<State>,
    wake: Arc<Notify>,
    sockets: Arc<dyn Sockets>,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Application {
    /// Begins to speak with the instances of an application, on a thread of its own, for as long
    /// as what is returned is used.
    ///
    /// # Errors
    /// Where the options cannot be used, or the thread not be started.
    pub fn start(
        name: &str,
        identity: Identity,
        options: Options,
        sockets: Arc<dyn Sockets>,
    ) -> io::Result<Arc<Self>> {
        let (link, task) = link(options).map_err(io::Error::other)?;
        let gateway = GatewayNumber(identity.gateway);
        let application = Arc::new(Self {
            name: name.into(),
            names: identity.names.application(name),
            identity,
            gateway: gateway.to_string(),
            link,
            state: Mutex::default(),
            wake: Arc::default(),
            sockets,
            counters: Arc::default(),
        });
        application
            .link
            .subscribe(&application.names.instance_beats());
        application.link.subscribe(&application.names.from(gateway));
        let (weak, wake) = (Arc::downgrade(&application), Arc::clone(&application.wake));
        let handler = LinkHandler(Weak::clone(&weak));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("application".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    tokio::select! {
                        () = task.run(handler) => {}
                        () = turn(weak, wake) => {}
                    }
                });
            })?;
        Ok(application)
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// An instance for one more session, if there is one.
    pub fn pick(&self) -> Option<Arc<Instance>> {
        let mut state = lock(&self.state);
        let State { roster, instances } = &mut *state;
        let open = |id: &str| instances.get(id).is_some_and(|it| it.ends().greeted);
        let random = |most: usize| rand::random_range(0..most);
        let picked = roster.pick(self.identity.zone.as_deref(), open, random)?;
        instances.get(&picked).cloned()
    }

    /// Says that this gateway ends, and sends what is still to be sent.
    pub async fn end(&self) {
        self.flush();
        self.beat(true);
        self.link.close().await;
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
        // What is not sent is sent again when its acknowledgement does not come.
        let _ = self.link.publish(subject, None, NO_HEADERS, message);
    }

    fn instances(&self) -> Vec<Arc<Instance>> {
        lock(&self.state).instances.values().cloned().collect()
    }

    fn tick(&self, now: Instant) {
        if self.link.is_connected() {
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
    }

    /// Sends what waits for instances.
    fn flush(&self) {
        let now = Instant::now();
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

    fn heard(&self, payload: &[u8], now: Instant) {
        let Some(beat) = InstanceBeat::decode(payload) else {
            return add(&self.counters.malformed);
        };
        let (id, leaving) = (beat.instance.clone(), beat.leaving);
        let mut state = lock(&self.state);
        let (took, left) = (state.roster.takes(&id), state.roster.leaves(&id));
        let fate = state.roster.heard(beat, now);
        let open = state
            .instances
            .get(&id)
            .filter(|it| it.ends().greeted)
            .cloned();
        drop(state);
        match (fate, open) {
            (Some(fate), _) => self.end_of(&id, fate),
            (None, Some(instance)) if leaving && !left => {
                self.deliver_to_all(&Arrival::Leaving(instance));
            }
            (None, Some(_)) if !leaving && !took => self.present(),
            // A gateway that a new instance does not know yet says at once that it is there.
            (None, None) if !took && !left => self.beat(false),
            (None, _) => {}
        }
    }

    fn deliver_to_all(&self, arrival: &Arrival) {
        let mut arrivals = Sorted::new(self.sockets.count());
        arrivals.add_to_all(arrival);
        arrivals.deliver(&*self.sockets);
    }

    fn framed(&self, message: &Bytes, now: Instant) {
        let Some(frame) = Frame::decode(message) else {
            return add(&self.counters.malformed);
        };
        let Some(instance) = self.of_frame(&frame) else {
            if frame.kind != FrameKind::Reset {
                add(&self.counters.strays);
                let line = Frame::line(FrameKind::Reset, &self.gateway, (frame.stream, 0, 0));
                self.publish(&self.names.to(frame.sender), line.as_bytes());
            }
            return;
        };
        if frame.kind == FrameKind::Reset {
            return self.end_stream(&instance, "it does not know the stream any more");
        }
        let mut ends = instance.ends();
        let taken = ends.stream.take(&frame, now);
        drop(ends);
        if let Some(piece) = taken {
            self.take(&instance, &piece);
        }
        instance.send_soon();
    }

    /// Whose stream a frame belongs to, one that it opens among them.
    fn of_frame(&self, frame: &Frame<'_>) -> Option<Arc<Instance>> {
        let known = lock(&self.state).instances.get(frame.sender).cloned();
        let opens = frame.kind == FrameKind::Data && frame.seq == 1;
        match known {
            Some(known) if known.number() == frame.stream => Some(known),
            Some(known) if known.number() > frame.stream || !opens => None,
            None if !opens => None,
            known => {
                if let Some(known) = known {
                    self.end_stream(&known, "it has opened another one");
                }
                let key = (frame.sender, frame.stream);
                let subject = self.names.to(frame.sender);
                let instance = Instance::new(key, &self.name, subject, &self.wake, &self.counters);
                let mut state = lock(&self.state);
                state
                    .instances
                    .insert(frame.sender.into(), Arc::clone(&instance));
                Some(instance)
            }
        }
    }

    fn take(&self, instance: &Arc<Instance>, piece: &[u8]) {
        instance.ends().entries.put(piece);
        let mut arrivals = Sorted::new(self.sockets.count());
        loop {
            let next = instance.ends().entries.next();
            let fine = match next {
                Ok(None) => break,
                Ok(Some(entry)) => self.entry(instance, entry, &mut arrivals),
                Err(_) => false,
            };
            if !fine {
                add(&self.counters.malformed);
                arrivals.deliver(&*self.sockets);
                return self.end_stream(instance, "what it says cannot be read");
            }
        }
        arrivals.deliver(&*self.sockets);
    }

    /// Whether the stream can go on behind this entry.
    fn entry(&self, instance: &Arc<Instance>, entry: Read, arrivals: &mut Sorted) -> bool {
        add(&self.counters.heard);
        let greeted = instance.ends().greeted;
        match entry.kind() {
            "hello" if !greeted => return self.greet(instance, &entry),
            _ if !greeted => return false,
            "accept" | "refuse" | "ack" | "emit" | "join" | "leave" | "data" | "close"
            | "released" => {
                let Some(handle) = entry.number(0) else {
                    return false;
                };
                arrivals.add(worker_of(handle), || Arrival::Said {
                    instance: Arc::clone(instance),
                    handle,
                    entry,
                });
            }
            "cast" | "joins" | "leaves" | "closes" | "list" => {
                let Some(cast) = Cast::of(instance, &entry) else {
                    return false;
                };
                let cast = Arc::new(cast);
                arrivals.add_to_all(&Arrival::Cast(cast));
            }
            _ => add(&self.counters.newer),
        }
        true
    }

    fn greet(&self, instance: &Arc<Instance>, entry: &Read) -> bool {
        let Some(hello) = entry.json::<Hello>(0) else {
            return false;
        };
        let speaks = hello.protocols.contains(&PROTOCOL);
        let welcome = if speaks {
            Welcome::Open {
                protocol: PROTOCOL,
                gateway: GatewayNumber(self.identity.gateway),
                limits: Limits {
                    payload_bytes: self.identity.payload_bytes,
                },
            }
        } else {
            Welcome::Refused {
                refused: Reason {
                    code: "protocol_unsupported",
                    message: format!(
                        "This gateway speaks version {PROTOCOL} of the application protocol; use a version of the SDK that speaks it, or upgrade the gateways."
                    )
                    .into(),
                },
            }
        };
        let json = serde_json::to_vec(&welcome).unwrap_or_default();
        // Nothing waits yet.
        let _ = instance.say(0, &Entry::new("welcome").body(&json));
        if speaks {
            tracing::info!(application = %self.name, instance = instance.id(), name = %hello.name,
                sdk = %hello.sdk, "an instance of an application is there");
            instance.ends().greeted = true;
            if lock(&self.state).roster.takes(instance.id()) {
                self.present();
            }
        } else {
            tracing::warn!(application = %self.name, instance = instance.id(), name = %hello.name,
                protocols = ?hello.protocols, code = "protocol_unsupported",
                "an instance speaks no version of the application protocol that this gateway speaks");
        }
        true
    }

    fn present(&self) {
        let instances = lock(&self.state).roster.len() as u64;
        self.counters.instances.store(instances, Relaxed);
        self.deliver_to_all(&Arrival::Present(Arc::clone(&self.name)));
    }

    /// An instance is not there any more.
    fn end_of(&self, id: &str, fate: Fate) {
        let counter = match fate {
            Fate::Ended => &self.counters.ended,
            Fate::Silent => &self.counters.silent,
            Fate::Blocked => &self.counters.blocked,
        };
        add(counter);
        let instance = lock(&self.state).instances.get(id).cloned();
        if let Some(instance) = instance {
            match fate {
                Fate::Ended => tracing::info!(application = %self.name, instance = id,
                    "an instance has ended"),
                Fate::Silent => tracing::warn!(application = %self.name, instance = id,
                    "an instance has not been heard for too long; its sessions go to others"),
                Fate::Blocked => tracing::warn!(application = %self.name, instance = id,
                    "the main loop of an instance stands still; its sessions go to others"),
            }
            self.forget(&instance);
        }
    }

    fn end_stream(&self, instance: &Arc<Instance>, why: &str) {
        add(&self.counters.reset);
        tracing::warn!(application = %self.name, instance = instance.id(), why,
            "the stream to an instance ends; its sessions are attached anew");
        self.forget(instance);
        let line = Frame::line(FrameKind::Reset, &self.gateway, (instance.number(), 0, 0));
        self.publish(&instance.subject, line.as_bytes());
    }

    fn forget(&self, instance: &Arc<Instance>) {
        let mut state = lock(&self.state);
        let known = state.instances.get(instance.id());
        if known.is_some_and(|known| Arc::ptr_eq(known, instance)) {
            state.instances.remove(instance.id());
        }
        let instances = state.roster.len() as u64;
        drop(state);
        self.counters.instances.store(instances, Relaxed);
        let undelivered = instance.end();
        self.deliver_to_all(&Arrival::Gone(Arc::clone(instance), undelivered.into()));
    }
}

/// What goes to each worker.
struct Sorted(Vec<Vec<Arrival>>);

impl Sorted {
    fn new(workers: usize) -> Self {
        Self(vec![Vec::new(); workers])
    }

    fn add(&mut self, worker: usize, arrival: impl FnOnce() -> Arrival) {
        // A handle that no worker gave is nobody's.
        if let Some(arrivals) = self.0.get_mut(worker) {
            arrivals.push(arrival());
        }
    }

    fn add_to_all(&mut self, arrival: &Arrival) {
        for arrivals in &mut self.0 {
            arrivals.push(arrival.clone());
        }
    }

    fn deliver(self, sockets: &dyn Sockets) {
        for (worker, arrivals) in self.0.into_iter().enumerate() {
            if !arrivals.is_empty() {
                sockets.deliver(worker, arrivals);
            }
        }
    }
}

async fn turn(application: Weak<Application>, wake: Arc<Notify>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beat_at = Instant::now();
    loop {
        let due = tokio::select! {
            _ = ticks.tick() => true,
            () = wake.notified() => false,
        };
        let Some(application) = application.upgrade() else {
            return;
        };
        if !due {
            application.flush();
            continue;
        }
        let now = Instant::now();
        application.tick(now);
        if beat_at <= now {
            beat_at = now + BEAT;
            application.beat(false);
        }
    }
}

/// What the link calls.
struct LinkHandler(Weak<Application>);

impl LinkHandler {
    fn with(&self, call: impl FnOnce(&Application)) {
        if let Some(application) = self.0.upgrade() {
            call(&application);
        }
    }
}

impl Handler for LinkHandler {
    fn connected(&mut self, _: &ServerInfo) {
        self.with(|application| {
            lock(&application.state).roster.connected(Instant::now());
            for instance in application.instances() {
                instance.ends().stream.remind();
                instance.send_soon();
            }
            application.beat(false);
        });
    }

    fn disconnected(&mut self, why: &str) {
        self.with(|application| {
            tracing::warn!(application = %application.name, why,
                "the connection to the application's instances is lost; clients stay, and it is tried again");
        });
    }

    fn message(&mut self, packet: Packet) {
        self.with(|application| {
            let now = Instant::now();
            if packet.subject() == application.names.instance_beats() {
                application.heard(&packet.payload, now);
            } else {
                application.framed(&packet.payload, now);
            }
        });
    }

    fn is_full(&self) -> bool {
        self.0
            .upgrade()
            .is_some_and(|application| application.sockets.is_full())
    }
}
