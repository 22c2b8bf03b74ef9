//! How far clients are told that they are, while a room is behind.

use std::sync::{Arc, Mutex};

use serde_json::json;
use sluice_backbone::{BackboneEvent, Workers};
use sluice_contract::Names;
use sluice_rooms::{HistoryLimits, Message, Reading, RoomKey, RoomSettings};

use crate::{
    Headers, Packet,
    core::{Action, At, Completions, Core, Identity},
};

/// Keeps the messages that are delivered.
#[derive(Default)]
struct Seen(Mutex<Vec<Arc<Message>>>);

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
        match event {
            BackboneEvent::Room(message) => self.0.lock().unwrap().push(message),
            BackboneEvent::Completion(completion) => completion.give(),
            other => panic!("nothing else should come, not {other:?}"),
        }
    }
}

/// A gateway that follows rooms, and NATS as a test writes it.
struct Follower {
    core: Core,
    seen: Arc<Seen>,
    at: At,
    out: Vec<Action>,
}

impl Follower {
    fn new() -> Self {
        Self::following(["a", "b"])
    }

    fn following<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let seen = Arc::new(Seen::default());
        let identity = Identity {
            gateway: 1,
            name: "chat-0".into(),
            names: Names::new("default", "chat"),
            seed: 1,
        };
        let completions = Arc::new(Completions::new(|| {}));
        let mut gateway = Self {
            core: Core::new(identity, Arc::clone(&seen) as _, completions),
            seen,
            at: At {
                now: std::time::Instant::now(),
                time: 1_000,
            },
            out: Vec::new(),
        };
        gateway.core.start(&mut gateway.out);
        gateway.core.connected(gateway.at, &mut gateway.out);
        gateway.tell_of_stream();
        for name in names {
            let settings = RoomSettings {
                history: Some(HistoryLimits {
                    max_messages: 10,
                    max_age: std::time::Duration::from_mins(10),
                }),
                ..RoomSettings::default()
            };
            let (at, out) = (gateway.at, &mut gateway.out);
            let _ = gateway.core.subscribe(at, (0, &room(name)), &settings, out);
            gateway.tell_of_stream();
        }
        gateway
    }

    /// The last question that went to a subject.
    fn question(&self, kind: &str) -> u64 {
        let asked = self.out.iter().rev().find_map(|action| match action {
            Action::Publish {
                subject,
                request: Some(request),
                ..
            } if subject.contains(kind) => Some(*request),
            _ => None,
        });
        asked.expect("it should ask")
    }

    fn asks(&self, kind: &str) -> bool {
        let goes_to = |action: &Action| matches!(action, Action::Publish { subject, .. } if subject.contains(kind));
        self.out.iter().any(goes_to)
    }

    fn tell_of_stream(&mut self) {
        let stream = json!({
            "created": "2026-11-23T10:00:00Z",
            "config": {"name": "SLUICE_default_chat_ROOMS"},
            "state": {"last_seq": 0},
        });
        self.answer("STREAM.INFO", "", &stream.to_string());
        if self.asks("MSG.GET") {
            let nothing = json!({"error": {"code": 404}});
            self.answer("MSG.GET", "", &nothing.to_string());
        }
    }

    fn answer(&mut self, kind: &str, headers: &str, payload: &str) {
        let request = self.question(kind);
        let packet = packet("_INBOX", headers, payload);
        self.core.answer(self.at, request, &packet, &mut self.out);
    }

    /// A message that the leader passes on.
    fn hears(&mut self, room: &str, offset: u64, previous: u64) {
        let headers = format!("Nats-Sequence: {offset}\r\nNats-Last-Sequence: {previous}");
        let subject = format!("sluice.default.chat.out.=2F.{room}");
        let packet = packet(&subject, &headers, MESSAGE);
        self.core.message(self.at, &packet, &mut self.out);
    }

    /// What is read of a room, and that it is all.
    fn reads(&mut self, room: &str, offsets: &[u64]) {
        for offset in offsets {
            let subject = format!("sluice.default.chat.in.=2F.{room}");
            let headers = format!("Nats-Sequence: {offset}\r\nNats-Subject: {subject}");
            self.answer("DIRECT.GET", &headers, MESSAGE);
        }
        let request = self.question("DIRECT.GET");
        let end = Packet {
            headers: Headers::new("NATS/1.0 204 EOB\r\n\r\n".into()),
            ..packet("_INBOX", "", "")
        };
        self.core.answer(self.at, request, &end, &mut self.out);
    }

    /// What a client sends back that has this message and nothing after it.
    fn reading(&self, offset: u64) -> Reading {
        let seen = self.seen.0.lock().unwrap();
        let message = seen.iter().find(|message| message.offset() == offset);
        let text = message.unwrap().reading().unwrap().to_string();
        Reading::parse(&text).unwrap()
    }

    /// How far this gateway says that such a client has read in both rooms.
    fn read_up_to(&self, reading: &Reading) -> [u64; 2] {
        ["a", "b"].map(|name| self.read_in(name, reading))
    }

    fn read_in(&self, name: &str, reading: &Reading) -> u64 {
        let mut rooms = [(room(name), 0)];
        self.core.read_up_to(&mut rooms, reading);
        rooms[0].1
    }
}

const MESSAGE: &str = "{\"event\":\"e\",\"id\":\"i\",\"time\":1000,\"gateway\":2,\"sizes\":[1]}\n1";

fn room(name: &str) -> RoomKey {
    RoomKey::new("/", name)
}

fn packet(subject: &str, headers: &str, payload: &str) -> Packet {
    Packet {
        subject: subject.to_owned().into(),
        reply: None,
        headers: Headers::new(format!("NATS/1.0\r\n{headers}\r\n\r\n").into()),
        payload: payload.to_owned().into(),
    }
}

/// Whoever reads it then needs neither this gateway nor what is stored of the session.
#[test]
fn while_a_repair_is_not_answered_messages_of_other_rooms_say_that_the_room_is_behind() {
    let mut gateway = Follower::new();
    gateway.hears("a", 1, 0);
    gateway.hears("a", 3, 2);
    gateway.hears("b", 4, 0);
    let reading = gateway.reading(4);
    assert_eq!(reading.in_room(&room("a")), 1);
    assert_eq!(reading.in_room(&room("b")), 4);
    assert_eq!(gateway.read_up_to(&reading), [1, 4]);
}

#[test]
fn a_room_that_has_caught_up_is_named_no_more() {
    let mut gateway = Follower::new();
    gateway.hears("a", 1, 0);
    gateway.hears("a", 3, 2);
    gateway.hears("b", 4, 0);
    gateway.reads("a", &[1, 2, 3]);
    assert_eq!(gateway.reading(2).in_room(&room("a")), 2);
    assert_eq!(gateway.reading(2).in_room(&room("b")), 4);
    assert_eq!(gateway.reading(3).in_room(&room("a")), 3);
    gateway.hears("b", 5, 4);
    assert!(gateway.reading(5).is_even());
}

#[test]
fn a_client_that_was_gone_when_a_message_came_late_has_read_no_further_than_before_it() {
    let mut gateway = Follower::new();
    gateway.hears("a", 1, 0);
    gateway.hears("b", 4, 0);
    let gone = gateway.reading(4);
    assert!(gone.is_even(), "nothing shows yet that anything is missing");
    gateway.hears("a", 5, 3);
    assert_eq!(
        gateway.read_up_to(&gone),
        [1, 4],
        "it is known to be missing"
    );
    gateway.reads("a", &[1, 3, 5]);
    assert_eq!(gateway.read_up_to(&gone), [1, 4]);
    let there = gateway.reading(3);
    assert_eq!(
        gateway.read_up_to(&there),
        [3, 4],
        "it has the late message"
    );
    assert_eq!(gateway.read_up_to(&gateway.reading(5)), [5, 5]);
}

#[test]
fn a_client_that_is_behind_in_more_rooms_than_are_named_goes_on_where_its_gateway_lives() {
    let names: Vec<_> = (0..40).map(|number| format!("r{number:02}")).collect();
    let mut gateway = Follower::following(names.iter().map(String::as_str).chain(["b"]));
    for (name, offset) in names.iter().zip(1..) {
        gateway.hears(name, offset, 0);
    }
    for (name, offset) in names.iter().zip(1..) {
        gateway.hears(name, 200 + offset, 100 + offset);
    }
    gateway.hears("b", 300, 0);
    let gone = gateway.reading(300);
    assert!(gone.is_vague() && !gone.is_lost());
    for (name, offset) in names.iter().zip(1..) {
        assert_eq!(gateway.read_in(name, &gone), offset, "{name}");
    }
    assert_eq!(gateway.read_in("b", &gone), 300);
    gateway.reads("r39", &[40, 140, 240]);
    assert_eq!(gateway.read_in("r39", &gone), 40, "it was gone by then");
    let there = gateway.reading(140);
    assert!(there.is_vague());
    assert_eq!(
        gateway.read_in("r39", &there),
        140,
        "it has the late message"
    );
    assert_eq!(gateway.read_in("r38", &there), 39);
}
