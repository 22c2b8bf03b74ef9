//! One gateway over the simulated NATS, where a test says what happens and what goes wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::Bytes;
use sluice_backbone::{BackboneEvent, Bookmark, Error, Joined, Missed, Reader, Reply, Workers};
use sluice_contract::Names;
use sluice_nats::{
    Headers, Packet,
    core::{Action, At, Completions, Core, Identity},
};
use sluice_rooms::{Epoch, HistoryLimits, Page, Pid, Query, RoomKey, RoomSettings};

use crate::{
    nats::{Leaving, Sent, Server, Weather},
    run::MS,
};

const GATEWAY: u32 = 1;

/// What the gateway's only worker was given.
#[derive(Debug, Default)]
pub struct Seen(Mutex<Given>);

#[derive(Debug, Default)]
struct Given {
    messages: Vec<(String, u64)>,
    lost: Vec<String>,
}

impl Workers for Seen {
    fn count(&self) -> usize {
        1
    }

    fn is_full(&self, _: usize) -> bool {
        false
    }

    fn is_idle(&self, _: usize) -> bool {
        true
    }

    fn deliver(&self, _: usize, event: BackboneEvent) {
        let mut given = self.0.lock().unwrap();
        match event {
            BackboneEvent::Room(message) => {
                let room = message.room.as_ref().unwrap();
                given
                    .messages
                    .push((room.name.to_string(), message.offset()));
            }
            BackboneEvent::Lost(room) => given.lost.push(room.name.to_string()),
            BackboneEvent::Completion(completion) => completion.give(),
            _ => {}
        }
    }
}

/// Something that arrives.
#[derive(Debug)]
enum Event {
    Tick,
    /// Over this connection, the subscriptions of a link that is there again and all that is sent.
    Up(u64, Action),
    Message(u64, Packet),
    Answer(u64, u64, Packet),
}

/// What was asked of NATS, and what it answered.
#[derive(Debug, Default)]
pub struct Traffic {
    /// The subjects of the questions.
    pub asked: Vec<String>,
    /// How many packets and bytes of payload came in answer.
    pub answers: u64,
    pub bytes: u64,
}

/// A gateway, NATS, and what is on its way between them.
pub struct Scene {
    pub core: Core,
    pub server: Server,
    pub traffic: Traffic,
    /// Whether a question stays without an answer.
    pub ignores: Box<dyn FnMut(&Sent) -> bool>,
    /// How long anything is on its way, in microseconds.
    pub latency: u64,
    /// How far replicas are behind.
    pub lag: u64,
    /// How long the link takes for each packet to the gateway.
    pub pace: u64,
    /// When the last packet to the gateway arrives.
    last_down: u64,
    seen: Arc<Seen>,
    names: Names,
    base: Instant,
    now: u64,
    /// Which connection it is; none while there is none.
    link: Option<u64>,
    links: u64,
    wanted: BTreeSet<String>,
    queue: BTreeMap<(u64, u64), Event>,
    scheduled: u64,
}

impl Scene {
    /// A gateway that has just been connected, over a stream that keeps so many messages of a room.
    pub fn new(per_room: u64) -> Self {
        let names = Names::new("default", "scene");
        let seen = Arc::new(Seen::default());
        let identity = Identity {
            gateway: GATEWAY,
            name: "gateway".into(),
            names: names.clone(),
            seed: 1,
        };
        let completions = Arc::new(Completions::new(|| {}));
        let core = Core::new(identity, Arc::clone(&seen) as _, completions);
        let mut scene = Self {
            core,
            server: Server::new(names.clone(), Some(per_room)),
            traffic: Traffic::default(),
            ignores: Box::new(|_| false),
            latency: MS,
            lag: 0,
            pace: 0,
            last_down: 0,
            seen,
            names,
            base: Instant::now(),
            now: 0,
            link: None,
            links: 0,
            wanted: BTreeSet::new(),
            queue: BTreeMap::new(),
            scheduled: 0,
        };
        scene.act(|core, _, out| core.start(out));
        scene.schedule(0, Event::Tick);
        scene.connect();
        scene.run(300);
        scene
    }

    fn at(&self) -> At {
        At {
            now: self.base + Duration::from_micros(self.now),
            time: 1_700_000_000_000 + self.now / MS,
        }
    }

    fn schedule(&mut self, delay: u64, event: Event) {
        self.scheduled += 1;
        self.queue.insert((self.now + delay, self.scheduled), event);
    }

    /// Has the core do something, and sends what it wants sent.
    pub fn act<T>(&mut self, work: impl FnOnce(&mut Core, At, &mut Vec<Action>) -> T) -> T {
        let mut out = Vec::new();
        let at = self.at();
        let done = work(&mut self.core, at, &mut out);
        for action in out {
            match &action {
                Action::Subscribe(subject) => _ = self.wanted.insert(subject.clone()),
                Action::Unsubscribe(subject) => _ = self.wanted.remove(subject),
                Action::Publish { .. } | Action::Reply { .. } | Action::KeepStreams => {}
            }
            if let Some(link) = self.link {
                self.schedule(self.latency, Event::Up(link, action));
            }
        }
        done
    }

    pub fn connect(&mut self) {
        self.links += 1;
        self.link = Some(self.links);
        for subject in self.wanted.clone() {
            let action = Action::Subscribe(subject);
            self.schedule(self.latency, Event::Up(self.links, action));
        }
        self.act(Core::connected);
    }

    pub fn disconnect(&mut self) {
        self.link = None;
        self.server.subscribed.clear();
        self.act(Core::disconnected);
    }

    /// Lets so many milliseconds pass.
    pub fn run(&mut self, millis: u64) {
        let end = self.now + millis * MS;
        while let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= end
        {
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            self.happen(event);
        }
        self.now = end;
    }

    /// Lets time pass until something is so, in steps of ten milliseconds; false where it is not
    /// within so many milliseconds.
    pub fn run_until(&mut self, millis: u64, is_so: impl Fn(&Self) -> bool) -> bool {
        for _ in 0..millis / 10 {
            if is_so(self) {
                return true;
            }
            self.run(10);
        }
        is_so(self)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick => {
                self.schedule(100 * MS, Event::Tick);
                self.act(Core::tick);
            }
            Event::Up(link, action) if self.link == Some(link) => self.arrived(action),
            Event::Message(link, packet) if self.link == Some(link) => {
                self.act(|core, at, out| core.message(at, &packet, out));
            }
            Event::Answer(link, request, packet) if self.link == Some(link) => {
                self.traffic.answers += 1;
                self.traffic.bytes += packet.payload.len() as u64;
                self.act(|core, at, out| core.answer(at, request, &packet, out));
            }
            Event::Up(..) | Event::Message(..) | Event::Answer(..) => {}
        }
    }

    fn arrived(&mut self, action: Action) {
        let subscribed = self.server.subscribed.entry(GATEWAY).or_default();
        match action {
            Action::Subscribe(subject) => _ = subscribed.insert(subject),
            Action::Unsubscribe(subject) => _ = subscribed.remove(&subject),
            Action::Publish {
                subject,
                request,
                headers,
                payload,
            } => {
                let sent = Sent {
                    subject,
                    reply: request.map(|request| format!("_I.{request}")),
                    headers,
                    payload,
                };
                if sent.reply.is_some() {
                    self.traffic.asked.push(sent.subject.clone());
                }
                if !(self.ignores)(&sent) {
                    self.take(GATEWAY, &sent);
                }
            }
            Action::Reply { .. } | Action::KeepStreams => {}
        }
    }

    fn take(&mut self, from: u32, sent: &Sent) {
        let weather = Weather {
            now: self.now,
            lag: self.lag,
            says_so: true,
        };
        for leaving in self.server.take(from, sent, weather) {
            self.bring(leaving);
        }
    }

    fn bring(&mut self, leaving: Leaving) {
        let Some(link) = self.link else {
            return;
        };
        let event = match leaving {
            Leaving::Message(_, packet) => Event::Message(link, packet),
            Leaving::Answer(to, packet) => {
                let request = to.strip_prefix("_I.").unwrap().parse().unwrap();
                Event::Answer(link, request, packet)
            }
            Leaving::Republish { seq, previous } => {
                let packet = self.server.republished(seq, previous);
                let is_wanted = self.server.interested(packet.subject()).next().is_some();
                if !is_wanted {
                    return;
                }
                Event::Message(link, packet)
            }
        };
        let at = (self.now + self.latency).max(self.last_down + self.pace);
        self.last_down = at;
        self.schedule(at - self.now, event);
    }

    /// The servers tell that the stream has another leader.
    pub fn elect(&mut self) {
        let stream = self.names.rooms_stream();
        let packet = Packet {
            subject: format!("$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.{stream}").into(),
            reply: None,
            headers: Headers::default(),
            payload: Bytes::from_static(b"{}"),
        };
        self.act(|core, at, out| core.message(at, &packet, out));
    }

    /// Another gateway stores a message of so many bytes, kept for so many seconds if any are
    /// given. Returns its offset.
    pub fn store(&mut self, room: &str, bytes: usize, ttl: Option<u64>) -> u64 {
        let place = sluice_contract::place("/", room);
        let data = "1".repeat(bytes);
        let (time, id) = (self.at().time, self.server.rooms.last_seq());
        let head = format!(r#"{{"event":"e","id":"{id}","time":{time},"gateway":2,"sizes"#);
        let sent = Sent {
            subject: self.names.stored(&place),
            reply: None,
            headers: ttl
                .map(|ttl| ("Nats-TTL", format!("{ttl}s")))
                .into_iter()
                .collect(),
            payload: Bytes::from(format!("{head}\":[{bytes}]}}\n{data}")),
        };
        self.take(0, &sent);
        self.server.rooms.last_seq()
    }

    /// Stores a message without passing it on.
    pub fn store_silently(&mut self, room: &str) -> u64 {
        let link = self.link.take();
        let offset = self.store(room, 1, None);
        self.link = link;
        offset
    }

    pub fn join(&mut self, room: &str) -> Answer<Joined> {
        self.join_with(room, kept())
    }

    /// The first member joins a room that keeps its messages for so many seconds.
    pub fn join_keeping(&mut self, room: &str, seconds: u64) {
        let mut settings = kept();
        if let Some(history) = &mut settings.history {
            history.max_age = Duration::from_secs(seconds);
        }
        self.join_with(room, settings);
    }

    fn join_with(&mut self, room: &str, settings: RoomSettings) -> Answer<Joined> {
        let key = key(room);
        let reply = self.act(|core, at, out| core.subscribe(at, (0, &key), &settings, out));
        Answer::of(reply)
    }

    /// The gateway's last member leaves a room.
    pub fn leave(&mut self, room: &str) {
        self.act(|core, at, out| core.unsubscribe(at, 0, &key(room), out));
    }

    /// What a member missed after an offset, where it is not known how long it was away.
    pub fn missed(&mut self, room: &str, after: u64) -> Answer<Missed> {
        let bookmark = Bookmark {
            room: key(room),
            settings: kept(),
            after,
            within: None,
        };
        let reader = Reader {
            session: Pid::random().session(),
            read: None,
            connected: true,
        };
        Answer::of(self.act(|core, at, out| core.missed(at, 0, &[bookmark], reader, out)))
    }

    pub fn history(&mut self, room: &str, query: Query) -> Answer<(Epoch, Page)> {
        let limits = kept().history.unwrap();
        let key = key(room);
        Answer::of(self.act(|core, at, out| core.history(at, (&key, limits), query, out)))
    }

    /// The offsets of a room's messages as they were given to the worker.
    pub fn given(&self, room: &str) -> Vec<u64> {
        let given = self.seen.0.lock().unwrap();
        let own = given.messages.iter().filter(|(name, _)| name == room);
        own.map(|(_, offset)| *offset).collect()
    }

    /// How many messages the worker was given, of all rooms.
    pub fn given_count(&self) -> usize {
        self.seen.0.lock().unwrap().messages.len()
    }

    /// The offsets of all messages that the worker was given, after so many.
    pub fn given_since(&self, count: usize) -> Vec<u64> {
        let given = self.seen.0.lock().unwrap();
        given.messages[count..]
            .iter()
            .map(|(_, offset)| *offset)
            .collect()
    }

    /// The rooms of which the worker was told that messages are lost.
    pub fn lost(&self) -> Vec<String> {
        self.seen.0.lock().unwrap().lost.clone()
    }

    /// How many questions went to subjects that have this in them.
    pub fn asked(&self, kind: &str) -> usize {
        let asked = self.traffic.asked.iter();
        asked.filter(|subject| subject.contains(kind)).count()
    }
}

pub fn key(room: &str) -> RoomKey {
    RoomKey::new("/", room)
}

fn kept() -> RoomSettings {
    RoomSettings {
        history: Some(HistoryLimits {
            max_messages: 1_000_000,
            max_age: Duration::from_hours(1),
        }),
        ..RoomSettings::default()
    }
}

type Later<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// An answer that may not be there yet.
pub enum Answer<T> {
    There(Option<Result<T, Error>>),
    Later(Later<T>),
}

impl<T> Answer<T> {
    fn of(reply: Reply<T>) -> Self {
        match reply {
            Reply::Now(result) => Self::There(Some(result)),
            Reply::Later(later) => Self::Later(later),
        }
    }

    /// The answer, which must be there by now.
    pub fn get(&mut self) -> Result<T, Error> {
        self.poll().expect("the answer should be there")
    }

    pub fn poll(&mut self) -> Option<Result<T, Error>> {
        match self {
            Self::There(result) => result.take(),
            Self::Later(later) => {
                match later.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(result) => Some(result),
                    Poll::Pending => None,
                }
            }
        }
    }
}
