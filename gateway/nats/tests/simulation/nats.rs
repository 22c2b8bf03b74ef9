//! A NATS with JetStream, as far as the gateways use it (nats-server 2.15).

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};
use sluice_contract::{Names, Subject};
use sluice_nats::{Headers, Packet};

use crate::{
    run::MS,
    stream::{New, Outcome, Stored, Stream, matches},
};

/// The most answers to a question for the last messages of many subjects.
const MOST_LAST: usize = 1024;

/// A message from a gateway.
#[derive(Debug, Clone)]
pub struct Sent {
    pub subject: String,
    pub reply: Option<String>,
    pub headers: Vec<(&'static str, String)>,
    pub payload: Bytes,
}

/// Something that leaves the server.
#[derive(Debug)]
pub enum Leaving {
    /// A message for a gateway that subscribed to its subject.
    Message(u32, Packet),
    /// An answer, by the subject that the question named.
    Answer(String, Packet),
    /// A stored message that is to be passed on.
    Republish { seq: u64, previous: u64 },
}

/// How the servers are when something arrives.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    pub now: u64,
    /// How far the replica is behind that answers now.
    pub lag: u64,
    /// Whether who has no leader says so.
    pub says_so: bool,
}

#[derive(Debug)]
pub struct Server {
    names: Names,
    pub rooms: Stream,
    pub sessions: Stream,
    /// Streams without a leader.
    pub leaderless: BTreeSet<String>,
    /// Which subjects each gateway gets.
    pub subscribed: BTreeMap<u32, BTreeSet<String>>,
}

impl Server {
    pub fn new(names: Names, per_room: Option<u64>) -> Self {
        let prefix = |kind: &str| format!("{}.{kind}.", names.prefix());
        Self {
            rooms: Stream::new(names.rooms_stream(), vec![prefix("in")], per_room),
            sessions: Stream::new(
                names.sessions_stream(),
                vec![prefix("sess"), prefix("owner")],
                Some(1),
            ),
            leaderless: BTreeSet::new(),
            subscribed: BTreeMap::new(),
            names,
        }
    }

    /// Takes a message from a gateway; returns what it causes.
    pub fn take(&mut self, from: u32, sent: &Sent, weather: Weather) -> Vec<Leaving> {
        if let Some(api) = sent.subject.strip_prefix("$JS.API.") {
            return self.api(api, sent, weather);
        }
        let mut out = self.pass(from, sent);
        let stream = [&mut self.rooms, &mut self.sessions]
            .into_iter()
            .find(|stream| stream.takes(&sent.subject));
        if let Some(stream) = stream {
            if self.leaderless.contains(&stream.name) {
                out.extend(no_leader(sent, weather));
            } else {
                let passed_on = stream.name == self.names.rooms_stream();
                out.extend(store(stream, sent, weather.now, passed_on));
            }
        } else if out.is_empty() {
            return answer(sent, "NATS/1.0 503\r\n\r\n", Bytes::new());
        }
        out
    }

    /// To whoever has subscribed.
    fn pass(&self, from: u32, sent: &Sent) -> Vec<Leaving> {
        let packet = Packet {
            subject: sent.subject.clone().into(),
            reply: sent.reply.clone().map(Bytes::from),
            headers: Headers::default(),
            payload: sent.payload.clone(),
        };
        self.interested(&sent.subject)
            .filter(|gateway| *gateway != from)
            .map(|gateway| Leaving::Message(gateway, packet.clone()))
            .collect()
    }

    /// Who has subscribed to a subject.
    pub fn interested(&self, subject: &str) -> impl Iterator<Item = u32> {
        let wants = |subjects: &BTreeSet<String>| {
            let mut patterns = subjects.iter().filter(|s| s.ends_with(['*', '>']));
            subjects.contains(subject) || patterns.any(|s| matches(s, subject))
        };
        self.subscribed
            .iter()
            .filter(move |(_, subjects)| wants(subjects))
            .map(|(gateway, _)| *gateway)
    }

    /// A stored message as the leader passes it on.
    pub fn republished(&self, seq: u64, previous: u64) -> Packet {
        let stored = &self.rooms.log[seq as usize - 1];
        let place = match self.names.parse(&stored.subject) {
            Some(Subject::Stored(place)) => place,
            other => panic!("{other:?}"),
        };
        let headers = format!(
            "NATS/1.0\r\nNats-Stream: {}\r\nNats-Subject: {}\r\nNats-Sequence: {seq}\r\nNats-Last-Sequence: {previous}\r\n\r\n",
            self.rooms.name, stored.subject
        );
        Packet {
            subject: self.names.republished(place).into(),
            reply: None,
            headers: Headers::new(headers.into()),
            payload: stored.payload.clone(),
        }
    }

    fn api(&mut self, api: &str, sent: &Sent, weather: Weather) -> Vec<Leaving> {
        let Some((call, name)) = api.rsplit_once('.') else {
            return Vec::new();
        };
        if self.leaderless.contains(name) && call != "DIRECT.GET" {
            return no_leader(sent, weather);
        }
        let stream = if name == self.rooms.name {
            &mut self.rooms
        } else {
            &mut self.sessions
        };
        let body: Value = serde_json::from_slice(&sent.payload).unwrap_or(Value::Null);
        match call {
            "STREAM.INFO" => json_answer(sent, &info(stream)),
            "STREAM.MSG.GET" => json_answer(sent, &leader_get(stream, &body, weather.now)),
            "STREAM.PURGE" => {
                let subject = body["filter"].as_str().unwrap_or(">");
                let purged = stream.purge(weather.now, subject);
                json_answer(sent, &json!({"success": true, "purged": purged}))
            }
            "DIRECT.GET" => {
                direct_get(stream, sent, &body, weather.now.saturating_sub(weather.lag))
            }
            _ => answer(sent, "NATS/1.0 503\r\n\r\n", Bytes::new()),
        }
    }
}

fn store(stream: &mut Stream, sent: &Sent, now: u64, passed_on: bool) -> Vec<Leaving> {
    let header = |name: &str| {
        let found = sent.headers.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.clone())
    };
    let expected = header("Nats-Expected-Last-Subject-Sequence");
    let expected = expected.and_then(|number| number.parse().ok());
    let ttl = header("Nats-TTL").and_then(|ttl| ttl.strip_suffix('s')?.parse::<u64>().ok());
    let message = New {
        subject: &sent.subject,
        payload: sent.payload.clone(),
        id: header("Nats-Msg-Id"),
        expected,
        ttl: ttl.map(|seconds| seconds * 1_000 * MS),
    };
    let name = stream.name.clone();
    match stream.store(now, message) {
        Outcome::Stored { seq, previous } => {
            let mut out = json_answer(sent, &json!({"stream": name, "seq": seq}));
            if passed_on {
                out.push(Leaving::Republish { seq, previous });
            }
            out
        }
        Outcome::Duplicate(seq) => json_answer(
            sent,
            &json!({"stream": name, "seq": seq, "duplicate": true}),
        ),
        Outcome::Unexpected(last) => {
            let description = format!("wrong last sequence: {last}");
            let error = json!({"code": 400, "err_code": 10071, "description": description});
            json_answer(sent, &json!({"error": error, "stream": name, "seq": 0}))
        }
    }
}

fn answer(sent: &Sent, headers: &str, payload: Bytes) -> Vec<Leaving> {
    let Some(reply) = &sent.reply else {
        return Vec::new();
    };
    let packet = Packet {
        subject: reply.clone().into(),
        reply: None,
        headers: Headers::new(headers.to_owned().into()),
        payload,
    };
    vec![Leaving::Answer(reply.clone(), packet)]
}

fn json_answer(sent: &Sent, body: &Value) -> Vec<Leaving> {
    answer(sent, "", body.to_string().into())
}

fn no_leader(sent: &Sent, weather: Weather) -> Vec<Leaving> {
    if weather.says_so {
        answer(sent, "NATS/1.0 503\r\n\r\n", Bytes::new())
    } else {
        Vec::new()
    }
}

fn info(stream: &Stream) -> Value {
    let per_subject = stream.per_subject.map_or(json!(-1), |limit| json!(limit));
    json!({
        "type": "io.nats.jetstream.api.v1.stream_info_response",
        "config": {"name": stream.name, "max_age": 0, "max_msgs_per_subject": per_subject},
        "created": stream.created,
        "state": {"last_seq": stream.last_seq()},
    })
}

fn leader_get(stream: &Stream, body: &Value, now: u64) -> Value {
    let found = match (body["last_by_subj"].as_str(), body["next_by_subj"].as_str()) {
        (Some(subject), _) => stream.last_of(subject, now),
        (None, Some(subject)) => {
            let seq = body["seq"].as_u64().unwrap_or(1);
            stream.from(seq, subject, now).next()
        }
        (None, None) => {
            let seq = body["seq"].as_u64().unwrap_or(0);
            let next = stream.from(seq, ">", now).next();
            next.filter(|stored| stored.seq == seq)
        }
    };
    match found {
        Some(stored) => json!({"message": {
            "subject": stored.subject,
            "seq": stored.seq,
            "data": STANDARD.encode(&stored.payload),
        }}),
        None => {
            json!({"error": {"code": 404, "err_code": 10037, "description": "no message found"}})
        }
    }
}

fn direct_get(stream: &Stream, sent: &Sent, body: &Value, view: u64) -> Vec<Leaving> {
    if body["multi_last"].is_array() {
        return last_of_many(stream, sent, body, view);
    }
    let none = || answer(sent, "NATS/1.0 404 Message Not Found\r\n\r\n", Bytes::new());
    if let Some(subject) = body["last_by_subj"].as_str() {
        let found = stream.last_of(subject, view);
        return found.map_or_else(none, |stored| one(stream, sent, stored));
    }
    let exact = body["next_by_subj"].is_null();
    let seq = body["seq"].as_u64().unwrap_or(0);
    if exact && seq == 0 {
        return answer(sent, "NATS/1.0 408 Empty Request\r\n\r\n", Bytes::new());
    }
    let subject = body["next_by_subj"].as_str().unwrap_or(">");
    let found: Vec<_> = stream.from(seq, subject, view).collect();
    match (found.first(), body["batch"].as_u64()) {
        (None, _) => none(),
        (Some(first), None) if exact && first.seq != seq => none(),
        (Some(first), None) => one(stream, sent, first),
        (Some(_), Some(batch)) => {
            let taken = (batch as usize).min(found.len());
            let taken = fitting(&found[..taken], body);
            many(stream, sent, &found[..taken], (found.len() - taken, None))
        }
    }
}

/// How many fit into one answer: the one that reaches its bound is the last.
fn fitting(found: &[&Stored], body: &Value) -> usize {
    let Some(most) = body["max_bytes"].as_u64() else {
        return found.len();
    };
    let mut bytes = 0;
    let last = found.iter().position(|stored| {
        bytes += stored.subject.len() as u64 + stored.payload.len() as u64;
        bytes >= most
    });
    last.map_or(found.len(), |last| last + 1)
}

/// The last messages of many subjects that are not before `seq`.
fn last_of_many(stream: &Stream, sent: &Sent, body: &Value, view: u64) -> Vec<Leaving> {
    let subjects = body["multi_last"].as_array().into_iter().flatten();
    let subjects = subjects.filter_map(Value::as_str);
    let mut found: Vec<_> = subjects
        .flat_map(|pattern| stream.subjects(pattern))
        .filter_map(|subject| stream.last_of(subject, view))
        .collect();
    if found.len() > MOST_LAST {
        return answer(sent, "NATS/1.0 413 Too Many Results\r\n\r\n", Bytes::new());
    }
    if found.is_empty() {
        return answer(sent, "NATS/1.0 404 No Results\r\n\r\n", Bytes::new());
    }
    found.sort_by_key(|stored| stored.seq);
    let least = body["seq"].as_u64().unwrap_or(0);
    found.retain(|stored| stored.seq >= least);
    let batch = body["batch"].as_u64().unwrap_or(u64::MAX);
    let taken = found.len().min(batch.try_into().unwrap_or(usize::MAX));
    let taken = fitting(&found[..taken], body);
    let left = (found.len() - taken, Some(stream.last_at(view)));
    many(stream, sent, &found[..taken], left)
}

fn one(stream: &Stream, sent: &Sent, stored: &Stored) -> Vec<Leaving> {
    let headers = format!(
        "NATS/1.0\r\nNats-Stream: {}\r\nNats-Subject: {}\r\nNats-Sequence: {}\r\n\r\n",
        stream.name, stored.subject, stored.seq
    );
    answer(sent, &headers, stored.payload.clone())
}

/// Several messages, how many are left behind each, and the end with how far the replica is.
fn many(
    stream: &Stream,
    sent: &Sent,
    found: &[&Stored],
    (left, up_to): (usize, Option<u64>),
) -> Vec<Leaving> {
    let mut out = Vec::new();
    for (at, stored) in found.iter().enumerate() {
        let pending = left + found.len() - at - 1;
        let headers = format!(
            "NATS/1.0\r\nNats-Stream: {}\r\nNats-Subject: {}\r\nNats-Sequence: {}\r\nNats-Num-Pending: {pending}\r\n\r\n",
            stream.name, stored.subject, stored.seq
        );
        out.extend(answer(sent, &headers, stored.payload.clone()));
    }
    let up_to = up_to.map(|seq| format!("Nats-UpTo-Sequence: {seq}\r\n"));
    let up_to = up_to.unwrap_or_default();
    let end = format!("NATS/1.0 204 EOB\r\nNats-Num-Pending: {left}\r\n{up_to}\r\n");
    out.extend(answer(sent, &end, Bytes::new()));
    out
}
