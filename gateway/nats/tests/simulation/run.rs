//! One run: a world, its time, and what happens in it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    sync::{Arc, atomic::Ordering},
    task::{Context, Waker},
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use sluice_backbone::Publication;
use sluice_nats::{
    Names, Packet,
    core::{Action, At, Core, Identity},
};
use sluice_rooms::Pid;

use crate::{
    checks::Published,
    client::Client,
    faults::{Faults, chance},
    hub::{Hub, Inbox, Shared, Task, WORKERS},
    nats::Server,
    network::{Down, Link, Up},
    operations::{self, Knock},
    place::Places,
    wire::{Ask, Frame},
};

/// A millisecond; all times are in microseconds since the run began.
pub const MS: u64 = 1_000;

const GATEWAYS: usize = 3;
const CLIENTS: usize = 5;

/// How many lines of a trace are kept.
const LINES: usize = 20_000;

/// Something that happens.
#[derive(Debug)]
pub enum Event {
    Tick(u32),
    Work(u32, usize),
    Completed(u32),
    Up(u32, u64, Up),
    Down(u32, u64, Down),
    Republish { seq: u64, previous: u64, term: u64 },
    LinkLost(u32),
    LinkUp(u32),
    Elected(String),
    ToClient(u64, Frame),
    ToHub(u64, Ask),
    ConnGone(u64),
    Drained(u32),
    Act(usize),
    Publish,
    Calamity,
}

/// A gateway and what its workers are about.
pub struct Node {
    pub hub: Shared,
    tasks: Vec<Task>,
    working: [bool; WORKERS],
    draining: bool,
}

/// A client's connection.
#[derive(Debug)]
pub struct Conn {
    pub client: usize,
    pub gateway: u32,
    pub worker: usize,
    to_client: u64,
    to_hub: u64,
}

pub struct World {
    base: Instant,
    pub now: u64,
    pub rng: SmallRng,
    pub faults: Faults,
    pub calm: bool,
    /// Nobody may be told now that it is not recovered.
    pub strict: bool,
    /// So many clients have left all rooms.
    pub gone: usize,
    publishing: bool,
    ticking: bool,
    queue: BTreeMap<(u64, u64), Event>,
    scheduled: u64,
    pub server: Server,
    /// Which leader the rooms' stream has.
    pub term: u64,
    pub passed_on: u64,
    names: Names,
    pub places: Places,
    pub links: BTreeMap<u32, Link>,
    pub nodes: BTreeMap<u32, Node>,
    /// What every gateway that there ever was has delivered.
    pub inboxes: BTreeMap<u32, Arc<Inbox>>,
    /// When a gateway gave up a session, or died with it.
    pub left: BTreeMap<(String, u32), u64>,
    pub clients: Vec<Client>,
    pub conns: BTreeMap<u64, Conn>,
    last_conn: u64,
    pub published: BTreeMap<u64, Published>,
    pub counts: BTreeMap<&'static str, u64>,
    failures: Vec<String>,
    tracing: bool,
    lines: VecDeque<String>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub failures: Vec<String>,
    pub counts: BTreeMap<&'static str, u64>,
    pub lines: VecDeque<String>,
    pub faults: Faults,
}

impl World {
    pub fn new(seed: u64, tracing: bool) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let faults = Faults::of(&mut rng);
        let names = Names::new("default", "sim");
        let kept = rng.random_range(1..4);
        let limit = faults.few.unwrap_or(100_000) as usize;
        Self {
            base: Instant::now(),
            now: 0,
            server: Server::new(names.clone(), faults.few),
            rng,
            faults,
            calm: false,
            strict: false,
            gone: 0,
            publishing: true,
            ticking: true,
            queue: BTreeMap::new(),
            scheduled: 0,
            term: 0,
            passed_on: 0,
            names,
            places: Places::new(kept, limit),
            links: BTreeMap::new(),
            nodes: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            left: BTreeMap::new(),
            clients: (0..CLIENTS).map(Client::new).collect(),
            conns: BTreeMap::new(),
            last_conn: 0,
            published: BTreeMap::new(),
            counts: BTreeMap::new(),
            failures: Vec::new(),
            tracing,
            lines: VecDeque::new(),
        }
    }

    /// A storm, then calm; then everybody moves once more.
    pub fn run(mut self) -> Outcome {
        let storm = self.between(2_000 * MS, 12_000 * MS);
        for _ in 0..GATEWAYS {
            self.start_gateway();
        }
        for client in 0..CLIENTS {
            self.after(client as u64, Event::Act(client));
        }
        self.after(0, Event::Publish);
        self.after(500 * MS, Event::Calamity);
        self.until(storm);
        self.trace(|| "calm".to_owned());
        self.calm = true;
        self.until(storm + 22_000 * MS);
        self.strict = self.faults.few.is_none();
        for moves in 0..2 {
            for client in 0..CLIENTS {
                self.cut(client);
            }
            self.until(storm + 26_000 * MS + moves * 4_000 * MS);
        }
        self.publishing = false;
        self.until(storm + 33_000 * MS);
        self.leave_for_good();
        self.until(storm + 36_000 * MS);
        self.list_members();
        self.until(storm + 37_000 * MS);
        self.ticking = false;
        self.until(u64::MAX);
        self.check_end();
        Outcome {
            failures: self.failures,
            counts: self.counts,
            lines: self.lines,
            faults: self.faults,
        }
    }

    /// Lets everything happen up to a time, or a failure.
    fn until(&mut self, end: u64) {
        while self.failures.is_empty()
            && let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= end
        {
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            self.happen(event);
        }
        if end != u64::MAX {
            self.now = end;
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick(gateway) => self.tick(gateway),
            Event::Work(gateway, worker) => self.work(gateway, worker),
            Event::Completed(gateway) => {
                self.with_core(gateway, |core, at, out| core.completed(at, out));
            }
            Event::Up(gateway, number, up) => self.arrived_up(gateway, number, up),
            Event::Down(gateway, number, down) => self.arrived_down(gateway, number, &down),
            Event::Republish {
                seq,
                previous,
                term,
            } => self.republish(seq, previous, term),
            Event::LinkLost(gateway) => {
                self.trace(|| format!("link of {gateway:x} is lost"));
                self.with_core(gateway, |core, at, out| core.disconnected(at, out));
            }
            Event::LinkUp(gateway) => {
                self.trace(|| format!("link of {gateway:x} is there"));
                self.link_up(gateway);
            }
            Event::Elected(stream) => self.elected(&stream),
            Event::ToClient(conn, frame) => self.frame(conn, &frame),
            Event::ToHub(conn, ask) => self.asked(conn, ask),
            Event::ConnGone(conn) => self.conn_gone(conn),
            Event::Drained(gateway) => self.crash(gateway),
            Event::Act(client) if self.ticking => self.act(client),
            Event::Publish => self.publish(),
            Event::Calamity => self.calamity(),
            Event::Act(_) => {}
        }
    }

    pub fn schedule(&mut self, at: u64, event: Event) {
        self.scheduled += 1;
        self.queue.insert((at, self.scheduled), event);
    }

    pub fn after(&mut self, delay: u64, event: Event) {
        self.schedule(self.now + delay, event);
    }

    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        self.rng.random_range(least..=most)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.rng.random_range(0..bound)
    }

    pub fn trace(&mut self, line: impl FnOnce() -> String) {
        if self.tracing {
            if self.lines.len() >= LINES {
                self.lines.pop_front();
            }
            let (now, line) = (self.now, line());
            self.lines
                .push_back(format!("{:>9}.{:03} {line}", now / MS, now % MS));
        }
    }

    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub fn fail(&mut self, why: String) {
        self.failures.push(why);
    }

    fn at(&self) -> At {
        At {
            now: self.base + Duration::from_micros(self.now),
            time: 1_700_000_000_000 + self.now / MS,
        }
    }

    pub fn subject(&self, room: usize) -> String {
        let key = self.places.key(room);
        let namespace = sluice_nats::token(&key.namespace);
        self.names.subject(
            "in",
            &format!("{namespace}.{}", sluice_nats::token(&key.name)),
        )
    }

    pub fn fresh_pid(&mut self) -> Pid {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let bytes: [u8; 16] = self.rng.random();
        Pid::parse(&URL_SAFE_NO_PAD.encode(bytes)).unwrap()
    }

    fn start_gateway(&mut self) {
        let number: u32 = self.rng.random();
        let identity = Identity {
            gateway: number,
            name: format!("gateway-{number:x}").into(),
            names: self.names.clone(),
            seed: self.rng.random(),
        };
        let hub = Hub::new(identity, self.places.clone(), self.at());
        self.inboxes.insert(number, Arc::clone(&hub.inbox));
        let node = Node {
            hub: Rc::new(RefCell::new(hub)),
            tasks: Vec::new(),
            working: [false; WORKERS],
            draining: false,
        };
        self.nodes.insert(number, node);
        self.links.insert(number, Link::default());
        self.with_core(number, |core, _, out| core.start(out));
        let (link, tick) = (self.between(MS, 200 * MS), self.between(0, 100 * MS));
        self.after(link, Event::LinkUp(number));
        self.after(tick, Event::Tick(number));
    }

    pub fn open_gateways(&self) -> Vec<u32> {
        let open = self.nodes.iter().filter(|(_, node)| !node.draining);
        open.map(|(number, _)| *number).collect()
    }

    /// Has a core do something, and carries out what it wants.
    pub fn with_core(&mut self, gateway: u32, work: impl FnOnce(&mut Core, At, &mut Vec<Action>)) {
        let at = self.at();
        if let Some(node) = self.nodes.get_mut(&gateway) {
            let mut hub = node.hub.borrow_mut();
            hub.now = at;
            hub.inbox.set_now(self.now);
            let hub = &mut *hub;
            work(&mut hub.core, at, &mut hub.out);
        }
        self.follow(gateway);
    }

    /// Runs what can go on in a gateway, and carries what comes out.
    fn follow(&mut self, gateway: u32) {
        let at = self.at();
        let Some(node) = self.nodes.get_mut(&gateway) else {
            return;
        };
        node.hub.borrow_mut().now = at;
        node.hub.borrow().inbox.set_now(self.now);
        run_tasks(&mut node.tasks);
        let hub = Rc::clone(&node.hub);
        let mut hub = hub.borrow_mut();
        let (out, frames) = (
            std::mem::take(&mut hub.out),
            std::mem::take(&mut hub.frames),
        );
        let (given, published) = (
            std::mem::take(&mut hub.given),
            std::mem::take(&mut hub.published),
        );
        let notes = std::mem::take(&mut hub.notes);
        let completed = hub.completed.swap(false, Ordering::Relaxed);
        let inbox = Arc::clone(&hub.inbox);
        drop(hub);
        for session in given {
            self.left.insert((session.to_string(), gateway), self.now);
        }
        for note in notes {
            self.trace(|| format!("{gateway:x} notes {note}"));
        }
        for action in out {
            self.carry(gateway, action);
        }
        for (conn, frame) in frames {
            self.send_to_client(conn, frame);
        }
        for (number, receipt) in published {
            self.trace(|| format!("publication {number}: {receipt:?}"));
            self.check_receipt(number, receipt);
        }
        if completed {
            let soon = self.between(0, 2 * MS);
            self.after(soon, Event::Completed(gateway));
        }
        for worker in 0..WORKERS {
            self.have_worked(gateway, worker, inbox.waits(worker));
        }
    }

    fn have_worked(&mut self, gateway: u32, worker: usize, waits: bool) {
        let slow = self.goes_wrong(self.faults.slow);
        let soon = self.between(20, if slow { 800 * MS } else { 2 * MS });
        if let Some(node) = self.nodes.get_mut(&gateway)
            && waits
            && !node.working[worker]
        {
            node.working[worker] = true;
            self.after(soon, Event::Work(gateway, worker));
        }
    }

    /// A worker takes some of what waits for it.
    fn work(&mut self, gateway: u32, worker: usize) {
        let at = self.at();
        let most = self.between(1, 8);
        let Some(node) = self.nodes.get_mut(&gateway) else {
            return;
        };
        node.working[worker] = false;
        node.hub.borrow_mut().now = at;
        for _ in 0..most {
            let delivery = node.hub.borrow().inbox.take(worker);
            let Some(delivery) = delivery else {
                break;
            };
            let save = node.hub.borrow_mut().deliver(worker, delivery);
            for id in save {
                let saved = operations::save(Rc::clone(&node.hub), worker, id);
                node.tasks.push(Box::pin(async move {
                    saved.await;
                }));
            }
            // Who waits for an answer runs before anything further is read.
            run_tasks(&mut node.tasks);
        }
        self.follow(gateway);
    }

    fn tick(&mut self, gateway: u32) {
        if !self.nodes.contains_key(&gateway) || !self.ticking {
            return;
        }
        self.after(100 * MS, Event::Tick(gateway));
        let at = self.at();
        if let Some(node) = self.nodes.get_mut(&gateway) {
            let mut hub = node.hub.borrow_mut();
            hub.now = at;
            hub.note_absent();
        }
        self.with_core(gateway, |core, at, out| core.tick(at, out));
    }

    /// Asks every gateway who is in which room.
    fn list_members(&mut self) {
        let (gateways, at) = (self.open_gateways(), self.at());
        for gateway in gateways {
            if let Some(node) = self.nodes.get_mut(&gateway) {
                node.hub.borrow_mut().now = at;
                for room in 0..self.places.len() {
                    let list = operations::list(Rc::clone(&node.hub), room);
                    node.tasks.push(Box::pin(list));
                }
            }
            self.follow(gateway);
        }
    }

    fn arrived_down(&mut self, gateway: u32, number: u64, down: &Down) {
        if !self.is_current(gateway, number) {
            return;
        }
        let (what, packet) = match down {
            Down::Message(packet) => ("message".to_owned(), packet),
            Down::Answer(request, packet) => (format!("answer {request}"), packet),
        };
        self.trace(|| describe(gateway, &what, packet));
        self.with_core(gateway, |core, at, out| match down {
            Down::Message(packet) => core.message(at, packet, out),
            Down::Answer(request, packet) => core.answer(at, *request, packet, out),
        });
    }

    pub fn open_conn(&mut self, client: usize, gateway: u32) -> u64 {
        self.last_conn += 1;
        let worker = self.below(WORKERS);
        let conn = Conn {
            client,
            gateway,
            worker,
            to_client: self.now,
            to_hub: self.now,
        };
        self.conns.insert(self.last_conn, conn);
        self.last_conn
    }

    fn send_to_client(&mut self, conn: u64, frame: Frame) {
        let delay = self.between(100, 20 * MS);
        let at = self.now + delay;
        if let Some(open) = self.conns.get_mut(&conn) {
            open.to_client = at.max(open.to_client + 1);
            let at = open.to_client;
            self.schedule(at, Event::ToClient(conn, frame));
        }
    }

    pub fn ask(&mut self, client: usize, ask: Ask) {
        let Some(conn) = self.clients[client].conn else {
            return;
        };
        let delay = self.between(100, 20 * MS);
        let at = self.now + delay;
        if let Some(open) = self.conns.get_mut(&conn) {
            open.to_hub = at.max(open.to_hub + 1);
            let at = open.to_hub;
            self.schedule(at, Event::ToHub(conn, ask));
        }
    }

    fn asked(&mut self, conn: u64, ask: Ask) {
        let open = &self.conns[&conn];
        let (client, gateway, worker) = (open.client, open.gateway, open.worker);
        self.trace(|| format!("client {client} conn {conn} asks {gateway:x} {ask:?}"));
        let at = self.at();
        let Some(node) = self.nodes.get_mut(&gateway) else {
            return;
        };
        let hub = Rc::clone(&node.hub);
        hub.borrow_mut().now = at;
        match ask {
            Ask::Connect { .. } if node.draining => {
                self.send_to_client(conn, Frame::Closed);
            }
            Ask::Connect {
                user,
                fresh,
                pid,
                position,
            } => {
                let knock = Knock {
                    conn,
                    user,
                    fresh,
                    pid,
                    position,
                };
                node.tasks
                    .push(Box::pin(operations::enter(hub, worker, knock)));
            }
            Ask::Join(room) => {
                node.tasks
                    .push(Box::pin(operations::join(hub, worker, conn, room)));
            }
            Ask::Leave(room) => {
                operations::leave(&hub, worker, conn, room);
                let session = hub.borrow_mut().on_conn(worker, conn).map(|s| s.pid);
                if let Some(pid) = session {
                    let saved = operations::save(hub, worker, pid.session().to_string());
                    node.tasks.push(Box::pin(async move {
                        saved.await;
                    }));
                }
            }
        }
        self.follow(gateway);
    }

    fn conn_gone(&mut self, conn: u64) {
        let Some(open) = self.conns.get(&conn) else {
            return;
        };
        let (gateway, worker) = (open.gateway, open.worker);
        let at = self.at();
        if let Some(node) = self.nodes.get_mut(&gateway) {
            let mut hub = node.hub.borrow_mut();
            hub.now = at;
            hub.disconnected(worker, conn);
        }
        self.follow(gateway);
    }

    /// A gateway is gone at once, and another one takes its place.
    pub fn crash(&mut self, gateway: u32) {
        let Some(node) = self.nodes.remove(&gateway) else {
            return;
        };
        self.trace(|| format!("{gateway:x} is gone"));
        for worker in &node.hub.borrow().workers {
            for id in worker.sessions.keys() {
                self.left.insert((id.clone(), gateway), self.now);
            }
        }
        // What it keeps of its own it drops with the rest.
        drop(node.tasks);
        self.links.remove(&gateway);
        self.server.subscribed.remove(&gateway);
        for client in 0..self.clients.len() {
            let conn = self.clients[client].conn;
            if conn.is_some_and(|conn| self.conns[&conn].gateway == gateway) {
                self.clients[client].lose();
                let back = self.between(0, 1_500 * MS);
                self.clients[client].retry_at = self.now + back;
            }
        }
        self.start_gateway();
    }

    /// A gateway lets its clients go, and is gone when they are.
    pub fn drain(&mut self, gateway: u32) {
        let others = self.open_gateways().iter().any(|other| *other != gateway);
        let Some(node) = self.nodes.get_mut(&gateway).filter(|_| others) else {
            return;
        };
        if std::mem::replace(&mut node.draining, true) {
            return;
        }
        let mut conns = Vec::new();
        let mut hub = node.hub.borrow_mut();
        for worker in 0..WORKERS {
            let sessions = hub.workers[worker].sessions.values();
            let open: Vec<_> = sessions.filter_map(|session| session.conn).collect();
            conns.extend(open.into_iter().map(|conn| (worker, conn)));
        }
        for (worker, conn) in conns {
            hub.send(conn, Frame::Closed);
            hub.disconnected(worker, conn);
        }
        drop(hub);
        self.follow(gateway);
        let drained = self.between(1_000 * MS, 4_000 * MS);
        self.after(drained, Event::Drained(gateway));
    }

    fn publish(&mut self) {
        if !self.publishing {
            return;
        }
        let pause = if self.calm { 300 * MS } else { 60 * MS };
        let next = self.between(MS, pause);
        self.after(next, Event::Publish);
        let gateways: Vec<_> = self.nodes.keys().copied().collect();
        let gateway = gateways[self.below(gateways.len())];
        let number = self.next_publication();
        let room = self.published[&number].room;
        let except = self.published[&number].except;
        let publication = Publication {
            room: self.places.key(room).clone(),
            settings: self.places.settings(room),
            event: "e".into(),
            data: number.to_string().into(),
            attachments: Vec::new(),
            from: None,
            id: Some(format!("p{number}").into()),
            except,
        };
        self.trace(|| format!("publication {number} to room {room} by {gateway:x}"));
        let at = self.at();
        if let Some(node) = self.nodes.get_mut(&gateway) {
            node.hub.borrow_mut().now = at;
            let publish = operations::publish(Rc::clone(&node.hub), number, publication);
            node.tasks.push(Box::pin(publish));
        }
        self.follow(gateway);
    }

    /// A new publication, or one whose publisher was not told that it is stored.
    fn next_publication(&mut self) -> u64 {
        if chance(&mut self.rng, 0.2) {
            let unacked = |published: &Published| !published.told.iter().any(Result::is_ok);
            let again = self.published.iter().rev().take(20);
            let again: Vec<_> = again.filter(|(_, p)| unacked(p)).map(|(n, _)| *n).collect();
            if !again.is_empty() {
                return again[self.below(again.len())];
            }
        }
        let number = self.published.len() as u64 + 1;
        let room = self.below(self.places.len());
        let client = self.below(self.clients.len());
        let silent = chance(&mut self.rng, 0.1);
        let pid = self.clients[client].pid.filter(|_| silent);
        let published = Published {
            room,
            except: pid.map(|pid| pid.session()),
            told: Vec::new(),
        };
        self.published.insert(number, published);
        number
    }
}

fn run_tasks(tasks: &mut Vec<Task>) {
    // What one does may be what another waits for.
    loop {
        let before = tasks.len();
        let mut context = Context::from_waker(Waker::noop());
        tasks.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
        if tasks.len() == before {
            return;
        }
    }
}

fn describe(gateway: u32, what: &str, packet: &Packet) -> String {
    let headers = &packet.headers;
    let text = String::from_utf8_lossy(&packet.payload).into_owned();
    format!(
        "{gateway:x} <- {what} {} {:?} seq {:?} after {:?} {text}",
        packet.subject(),
        headers.status(),
        headers.get("Nats-Sequence"),
        headers.get("Nats-Last-Sequence"),
    )
}
