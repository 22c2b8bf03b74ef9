//! The core, driven by workers, the link and a clock.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use sluice_backbone::{
    Backbone, Bookmark, Claim, Command, Error, Joined, Members, Missed, Publication, Reader,
    Receipt, Record, Reply, SessionInfo, Stats, Stored, Workers,
};
use sluice_contract::{ENVELOPE_BYTES, Names, Role};
use sluice_rooms::{Epoch, Page, Query, Reading, RoomKey, RoomSettings, SessionId};
use sluice_util::{lock, unix_millis};
use tokio::{sync::Notify, time::MissedTickBehavior};

use crate::{
    Packet,
    core::{Action, At, Completions, Core, Identity, TICK},
    link::{Handler, Link, NO_HEADERS, Options, ServerInfo, link},
    pauses::Pauses,
};

/// The backbone of one gateway of a fleet.
pub struct Nats {
    core: Mutex<Core>,
    workers: Arc<dyn Workers>,
    link: Link,
    /// What answers to this gateway's questions are addressed to, before their number.
    inbox: String,
    completed: Arc<Notify>,
    changed: Arc<Notify>,
    /// The largest message that this gateway takes from its clients, in bytes; 0 where nobody said.
    payload_bytes: AtomicUsize,
    /// What was warned of last: what is needed, and what the servers take.
    warned: Mutex<Option<(usize, usize)>>,
}

impl std::fmt::Debug for Nats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nats").finish_non_exhaustive()
    }
}

impl Nats {
    /// A backbone for these workers. It connects, and stays connected, on a thread of
    /// its own, for as long as it is used.
    ///
    /// # Errors
    /// Where the thread cannot be started, or the options cannot be used.
    pub fn start(
        identity: Identity,
        workers: Arc<dyn Workers>,
        options: Options,
    ) -> std::io::Result<Arc<Self>> {
        let completed = Arc::new(Notify::new());
        let wake = Arc::clone(&completed);
        let completions = Arc::new(Completions::new(move || wake.notify_one()));
        let inbox = inbox(&identity.names);
        let (link, task) = link(options).map_err(std::io::Error::other)?;
        let nats = Arc::new(Self {
            core: Mutex::new(Core::new(identity, Arc::clone(&workers), completions)),
            workers,
            link,
            inbox,
            completed,
            changed: Arc::new(Notify::new()),
            payload_bytes: AtomicUsize::new(0),
            warned: Mutex::default(),
        });
        nats.link.subscribe(&format!("{}.*", nats.inbox));
        nats.with(|core, _, out| core.start(out));
        let handler = LinkHandler(Arc::downgrade(&nats));
        let ticking = Arc::downgrade(&nats);
        let completed = Arc::clone(&nats.completed);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("nats".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    tokio::select! {
                        () = task.run(handler) => {}
                        () = tick(ticking, completed) => {}
                    }
                });
            })?;
        Ok(nats)
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        // A core that a panic left half-way would be worse than none; the panic ends the process.
        lock(&self.core)
    }

    /// Calls the core, and sends what it wants sent before anybody else calls it.
    pub fn with<T>(&self, call: impl FnOnce(&mut Core, At, &mut Vec<Action>) -> T) -> T {
        let mut out = Vec::new();
        let mut core = self.lock();
        let result = call(&mut core, at(), &mut out);
        for action in out {
            self.act(action);
        }
        result
    }

    fn act(&self, action: Action) {
        match action {
            Action::Subscribe(subject) => self.link.subscribe(&subject),
            Action::Unsubscribe(subject) => self.link.unsubscribe(&subject),
            Action::Publish {
                subject,
                request,
                headers,
                payload,
            } => {
                let reply = request.map(|request| format!("{}.{request}", self.inbox));
                // What is not sent is not answered, and then sent again by whoever needs it.
                let _ = self
                    .link
                    .publish(&subject, reply.as_deref(), &headers, &payload);
            }
            Action::KeepStreams => self.changed.notify_one(),
            Action::Reply { subject, payload } => {
                let subject = std::str::from_utf8(&subject).unwrap_or_default();
                let _ = self.link.publish(subject, None, NO_HEADERS, &payload);
            }
        }
    }

    /// Says that this gateway ends, and sends what is still to be sent.
    pub async fn end(&self) {
        self.with(Core::bye);
        self.link.close().await;
    }

    /// Says how many bytes of a message this gateway takes from its clients, so that it can warn
    /// where the servers take less.
    pub fn set_payload_bytes(&self, bytes: usize) {
        self.payload_bytes.store(bytes, Relaxed);
        if self.link.is_connected() {
            self.warn_of_large_payloads();
        }
    }

    fn warn_of_large_payloads(&self) {
        let payload = self.payload_bytes.load(Relaxed);
        let (needed, taken) = (payload + ENVELOPE_BYTES, self.lock().max_payload());
        let found = (payload > 0 && needed > taken).then_some((needed, taken));
        let before = std::mem::replace(&mut *lock(&self.warned), found);
        if found.is_some() && found != before {
            tracing::warn!(
                payload_bytes = payload,
                max_payload = taken,
                "the NATS servers take smaller messages than limits.payloadBytes lets in, and what is larger is refused with payload_too_large: set their max_payload to {needed} or more, or payloadBytes to {} or less",
                taken.saturating_sub(ENVELOPE_BYTES)
            );
        }
    }

    /// The connection, for its figures.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Notified when what is there has to be looked at: with each connect, and where a stream is
    /// missing.
    pub fn looks(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }
}

/// A place for answers that no other client has, among those of gateways.
fn inbox(names: &Names) -> String {
    let (a, b) = (rand::random::<u64>(), rand::random::<u64>());
    let gateways = names.inbox(Role::Gateway).unwrap_or_default();
    format!("{gateways}.{a:016x}{b:016x}")
}

fn at() -> At {
    At {
        now: Instant::now(),
        time: unix_millis(),
    }
}

async fn tick(nats: Weak<Nats>, completed: Arc<Notify>) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pauses = Pauses::default();
    loop {
        let due = tokio::select! {
            scheduled = interval.tick() => !pauses.put_off(scheduled.elapsed()),
            () = completed.notified() => false,
        };
        let Some(nats) = nats.upgrade() else {
            return;
        };
        nats.with(|core, at, out| {
            core.completed(at, out);
            if due {
                core.tick(at, out);
            }
        });
    }
}

/// What the link calls.
struct LinkHandler(Weak<Nats>);

impl LinkHandler {
    fn with(&self, call: impl FnOnce(&Nats)) {
        if let Some(nats) = self.0.upgrade() {
            call(&nats);
        }
    }
}

impl Handler for LinkHandler {
    fn connected(&mut self, server: &ServerInfo) {
        tracing::info!(server = %server.server_name, "connected to NATS");
        self.with(|nats| {
            nats.with(|core, at, out| {
                core.set_max_payload(server.max_payload);
                core.connected(at, out);
            });
            nats.warn_of_large_payloads();
            nats.changed.notify_one();
        });
    }

    fn server_changed(&mut self, server: &ServerInfo) {
        self.with(|nats| {
            nats.with(|core, _, _| core.set_max_payload(server.max_payload));
            nats.warn_of_large_payloads();
        });
    }

    fn lame_duck(&mut self) {
        self.with(|nats| nats.lock().lame_duck());
    }

    fn disconnected(&mut self, why: &str) {
        tracing::warn!(
            why,
            "the connection to NATS is lost; clients stay, and it is tried again"
        );
        self.with(|nats| nats.with(Core::disconnected));
    }

    fn message(&mut self, packet: Packet) {
        self.with(|nats| {
            let answer = packet
                .subject()
                .strip_prefix(&*nats.inbox)
                .and_then(|rest| rest.strip_prefix('.'))
                .map(str::parse::<u64>);
            nats.with(|core, at, out| match answer {
                None => core.message(at, &packet, out),
                Some(Ok(request)) => core.answer(at, request, &packet, out),
                Some(Err(_)) => {}
            });
        });
    }

    fn is_full(&self) -> bool {
        self.0.upgrade().is_some_and(|nats| {
            (0..nats.workers.count()).any(|worker| nats.workers.is_full(worker))
        })
    }
}

impl Backbone for Nats {
    fn subscribe(&self, worker: usize, room: &RoomKey, settings: &RoomSettings) -> Reply<Joined> {
        self.with(|core, at, out| core.subscribe(at, (worker, room), settings, out))
    }

    fn unsubscribe(&self, worker: usize, room: &RoomKey) {
        self.with(|core, at, out| core.unsubscribe(at, worker, room, out));
    }

    fn join(&self, room: &RoomKey, user: &Arc<str>, settings: &RoomSettings) -> Reply<()> {
        self.with(|core, at, out| core.join(at, room, user, settings, out))
    }

    fn leave(&self, room: &RoomKey, user: &Arc<str>) {
        self.lock().leave(room, user);
    }

    fn publish(&self, publication: Publication) -> Reply<Receipt> {
        self.with(|core, at, out| core.publish(at, publication, out))
    }

    fn missed(&self, worker: usize, bookmarks: &[Bookmark], reader: Reader) -> Reply<Missed> {
        self.with(|core, at, out| core.missed(at, worker, bookmarks, reader, out))
    }

    fn history(
        &self,
        room: &RoomKey,
        settings: &RoomSettings,
        query: Query,
    ) -> Reply<(Epoch, Page)> {
        match settings.history {
            Some(limits) => self.with(|core, at, out| core.history(at, (room, limits), query, out)),
            None => Reply::Now(Err(Error::NoHistory)),
        }
    }

    fn members(&self, room: &RoomKey, limit: usize) -> Reply<Members> {
        self.with(|core, at, out| core.members(at, room, limit, out))
    }

    fn command(&self, command: Command) -> Reply<u64> {
        self.with(|core, at, out| core.command(at, command, out))
    }

    fn sessions(&self, user: Option<Arc<str>>, limit: usize) -> Reply<Vec<SessionInfo>> {
        self.with(|core, at, out| core.sessions(at, user, limit, out))
    }

    fn enter(&self, user: &Arc<str>, limit: u32) -> Result<(), Error> {
        self.lock().enter(at(), user, limit)
    }

    fn exit(&self, user: &Arc<str>) {
        self.lock().exit(user);
    }

    fn claim(&self, worker: usize, claim: Claim) -> Reply<Option<Record>> {
        self.with(|core, at, out| core.claim(at, worker, claim, out))
    }

    fn confirm(&self, worker: usize, session: SessionId) -> Reply<()> {
        self.with(|core, at, out| core.confirm(at, worker, session, out))
    }

    fn outlives_process(&self) -> bool {
        true
    }

    fn store(&self, session: Stored) -> Reply<()> {
        self.with(|core, at, out| core.store(at, &session, out))
    }

    fn forget(&self, session: SessionId) {
        self.with(|core, at, out| core.forget(at, session, out));
    }

    fn delivered(&self) -> u64 {
        self.lock().delivered()
    }

    fn read_up_to(&self, rooms: &mut [(RoomKey, u64)], read: &Reading) {
        self.lock().read_up_to(rooms, read);
    }

    fn stats(&self, bounds: &[u64]) -> Stats {
        let core = self.lock();
        let (_, messages, bytes) = core.holdings();
        Stats {
            messages,
            bytes,
            ..core.member_stats(bounds)
        }
    }

    fn tick(&self) {}
}
