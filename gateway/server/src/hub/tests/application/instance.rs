//! One instance of an application, as its program sees it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde_json::Value;
use sluice_applications::Stream;
use sluice_contract::application::{Entries, Entry, Frame, FrameKind, InstanceBeat, Read};

/// An event that it was given.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Taken {
    /// The public id of whose event it is.
    pub(in super::super) session: String,
    /// By which number it is to be answered.
    pub(in super::super) number: Option<u64>,
    pub(in super::super) array: Value,
    pub(in super::super) repeated: bool,
}

/// A session that it has.
#[derive(Debug)]
pub(in super::super) struct Mine {
    pub(in super::super) id: String,
    /// What it was asked with.
    pub(in super::super) connect: Value,
    /// Events that it has not answered.
    pub(in super::super) open: Vec<u64>,
}

/// An instance that does nothing by itself but to keep its stream and to say that it lives.
#[derive(Debug)]
pub(in super::super) struct Instance {
    pub(in super::super) id: String,
    number: u64,
    stream: Stream,
    entries: Entries,
    beat_at: Option<Instant>,
    leaving: bool,
    /// Until when its process is stopped.
    pub(in super::super) stopped: Option<Instant>,
    /// Whether it lets clients in as soon as they ask.
    pub(in super::super) accepts: bool,
    /// Whether it answers events as soon as they come.
    pub(in super::super) answers: bool,
    /// Clients that ask and were not answered.
    pub(in super::super) asking: Vec<u64>,
    pub(in super::super) sessions: BTreeMap<u64, Mine>,
    pub(in super::super) taken: Vec<Taken>,
    /// What else it was said: kind and session.
    pub(in super::super) told: Vec<(String, u64)>,
}

impl Instance {
    pub(in super::super) fn new(id: &str) -> Self {
        let mut instance = Self {
            id: id.to_owned(),
            number: 0,
            stream: Stream::default(),
            entries: Entries::default(),
            beat_at: None,
            leaving: false,
            stopped: None,
            accepts: true,
            answers: true,
            asking: Vec::new(),
            sessions: BTreeMap::new(),
            taken: Vec::new(),
            told: Vec::new(),
        };
        instance.begin();
        instance
    }

    /// Opens a stream, another than before.
    fn begin(&mut self) {
        self.number += 1;
        (self.stream, self.entries) = Default::default();
        self.sessions.clear();
        self.asking.clear();
        let hello = format!(r#"{{"protocols":[1],"instance":"{}"}}"#, self.id);
        self.say(&Entry::new("hello").body(hello.as_bytes()));
    }

    pub(in super::super) fn say(&mut self, entry: &Entry<'_>) {
        let mut bytes = Vec::new();
        entry.write(&mut bytes);
        self.stream.put(0, bytes.into());
    }

    /// Says that it is about to end.
    pub(in super::super) fn leave(&mut self) {
        self.leaving = true;
        self.beat_at = None;
    }

    /// Whether its process does anything now.
    pub(in super::super) fn runs(&self, now: Instant) -> bool {
        self.stopped.is_none_or(|until| until <= now)
    }

    /// Whether it takes sessions.
    pub(in super::super) fn stays(&self) -> bool {
        !self.leaving && self.stopped.is_none()
    }

    /// Its sign of life, where one is due.
    pub(in super::super) fn beat(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.beat_at.is_some_and(|at| at > now) {
            return None;
        }
        self.beat_at = Some(now + Duration::from_millis(500));
        let beat = InstanceBeat {
            protocol: 1,
            instance: self.id.as_str().into(),
            sessions: self.sessions.len() as u64,
            leaving: self.leaving,
            bye: self.has_left(),
            ..InstanceBeat::default()
        };
        Some(beat.encode())
    }

    /// Whether it was about to end, and nothing is left to do.
    pub(in super::super) fn has_left(&self) -> bool {
        self.leaving && self.sessions.is_empty()
    }

    /// The next frame that it sends.
    pub(in super::super) fn next(&mut self, now: Instant) -> Option<Vec<u8>> {
        let frame = self.stream.next(now, 200_000)?;
        let (seq, taken) = frame.numbers;
        let line = Frame::line(frame.kind, &self.id, (self.number, seq, taken));
        let mut message = line.into_bytes();
        message.extend_from_slice(&frame.payload);
        Some(message)
    }

    pub(in super::super) fn tick(&mut self, now: Instant) {
        self.stream.tick(now);
    }

    /// A frame came.
    pub(in super::super) fn hear(&mut self, message: &Bytes, now: Instant) {
        let Some(frame) = Frame::decode(message).filter(|frame| frame.stream == self.number) else {
            return;
        };
        if frame.kind == FrameKind::Reset {
            return self.begin();
        }
        let Some(piece) = self.stream.take(&frame, now) else {
            return;
        };
        self.entries.put(&piece);
        while let Some(entry) = self.entries.next().unwrap() {
            self.entry(&entry);
        }
    }

    fn entry(&mut self, entry: &Read) {
        let handle = entry.number(0);
        match (entry.kind(), handle) {
            ("connect", Some(handle)) => self.asked(handle, entry.json(0).unwrap()),
            ("event", Some(handle)) => self.event(handle, entry),
            ("fence", Some(handle)) => self.release(handle),
            ("gone" | "cancel" | "detach", Some(handle)) => {
                self.told.push((entry.kind().to_owned(), handle));
                self.sessions.remove(&handle);
                self.asking.retain(|asking| *asking != handle);
            }
            (kind, handle) => self.told.push((kind.to_owned(), handle.unwrap_or(0))),
        }
    }

    fn asked(&mut self, handle: u64, connect: Value) {
        let id = connect["session"].as_str().unwrap().to_owned();
        let open = Vec::new();
        self.sessions.insert(handle, Mine { id, connect, open });
        if self.accepts {
            self.accept(handle);
        } else {
            self.asking.push(handle);
        }
    }

    /// Lets a client in, which has what it was said to have.
    pub(in super::super) fn accept(&mut self, handle: u64) {
        let connect = &self.sessions[&handle].connect;
        let mut json = serde_json::json!({ "rooms": connect["rooms"].as_array() });
        if json["rooms"].is_null() {
            json["rooms"] = serde_json::json!(["hall"]);
        }
        if let Some(data) = connect.get("data") {
            json["data"] = data.clone();
        }
        let json = json.to_string();
        self.say(&Entry::new("accept").number(handle).body(json.as_bytes()));
    }

    fn event(&mut self, handle: u64, entry: &Read) {
        let mine = self.sessions.get_mut(&handle);
        let mine = mine.expect("events come for sessions that the instance has");
        let number = entry.number(1);
        self.taken.push(Taken {
            session: mine.id.clone(),
            number,
            array: entry.json(0).unwrap(),
            repeated: entry.field(2) == Some("repeated"),
        });
        let Some(number) = number else { return };
        if self.answers {
            self.answer(handle, number);
        } else {
            mine.open.push(number);
        }
    }

    fn answer(&mut self, handle: u64, number: u64) {
        let answer = format!("[{number}]");
        let entry = Entry::new("ack").number(handle).number(number);
        self.say(&entry.body(answer.as_bytes()));
    }

    /// Answers all that is open.
    pub(in super::super) fn answer_all(&mut self) {
        let mut open = Vec::new();
        for (handle, mine) in &mut self.sessions {
            open.extend(mine.open.drain(..).map(|number| (*handle, number)));
        }
        for (handle, number) in open {
            self.answer(handle, number);
        }
    }

    fn release(&mut self, handle: u64) {
        self.answer_all();
        self.say(&Entry::new("released").number(handle));
    }
}
