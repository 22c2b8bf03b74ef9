//! What an instance does to many sessions at once.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use bytes::Bytes;
use serde::Deserialize;
use sluice_contract::application::{Close, Entry, Read, Selector};
use sluice_util::lock;

use crate::{Instance, Mark};

/// How something is to be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// Not at all to a client that has something waiting.
    pub volatile: bool,
}

impl Flags {
    /// Reads them as entries have them. Letters of a newer version are skipped.
    pub fn parse(letters: Option<&str>) -> Self {
        Self {
            volatile: letters.is_some_and(|letters| letters.contains('v')),
        }
    }
}

/// An event that an instance emits.
#[derive(Debug, Clone)]
pub struct Emission {
    /// How it is to be sent.
    pub flags: Flags,
    /// By which number the instance calls the question that it is; none where it is none.
    pub call: Option<u64>,
    /// How long an answer is waited for, in milliseconds.
    pub ttl: u64,
    /// The event's name and its arguments: a JSON array.
    pub args: Bytes,
    /// Its attachments.
    pub attachments: Vec<Bytes>,
    /// What its readers have got with it, where lost connections are recovered.
    pub mark: Option<Mark>,
}

impl Emission {
    /// What an entry says whose fields begin at `at` and whose bodies at `body`.
    pub fn of(entry: &Read, at: usize, body: usize) -> Option<Self> {
        Some(Self {
            flags: Flags::parse(entry.field(at)),
            call: entry.number(at + 1),
            ttl: entry.number(at + 2).unwrap_or(0),
            args: entry.bodies.get(body)?.clone(),
            attachments: entry.bodies.get(body + 1..)?.to_vec(),
            mark: None,
        })
    }

    /// Whether a client that was away is to get it when it comes back.
    pub(crate) fn is_kept(&self) -> bool {
        self.call.is_none() && !self.flags.volatile
    }

    /// Whether a client takes its last argument for a mark.
    pub(crate) fn ends_like_marked(&self) -> bool {
        self.call.is_none() && self.args.trim_ascii_end().ends_with(b"\"]")
    }

    /// Has it keep no more memory than its own.
    pub(crate) fn own(&mut self) {
        self.args = Bytes::copy_from_slice(&self.args);
        for attachment in &mut self.attachments {
            *attachment = Bytes::copy_from_slice(attachment);
        }
    }

    /// Its bytes.
    pub fn size(&self) -> usize {
        self.args.len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }
}

/// What is done.
#[derive(Debug)]
pub enum Deed {
    /// They are emitted an event.
    Emit(Emission),
    /// They join rooms.
    Join(Vec<Arc<str>>),
    /// They leave rooms.
    Leave(Vec<Arc<str>>),
    /// They are closed.
    Close(Close),
    /// The instance wants to know who they are.
    List(List),
}

/// What the instance wants to know of sessions.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct List {
    /// Of each: `rooms`, `data`, `handshake`.
    pub fields: Vec<Box<str>>,
    /// Those with greater ids than this.
    pub after: Option<Box<str>>,
    /// The most of them.
    pub limit: usize,
    /// By which number it calls the question.
    #[serde(skip)]
    pub call: u64,
}

impl Default for List {
    fn default() -> Self {
        Self {
            fields: Vec::new(),
            after: None,
            limit: MAX_PAGE,
            call: 0,
        }
    }
}

/// A deed and whom it is about.
#[derive(Debug)]
pub struct Cast {
    /// Who does it.
    pub instance: Arc<Instance>,
    /// To whom.
    pub selector: Selector,
    /// What.
    pub deed: Deed,
    /// The number of the last emission that is kept, of those up to this.
    pub seq: u64,
    /// Where it is a question.
    question: Option<Arc<Question>>,
    /// Where it is a [`List`]: who was found so far, and what is told of them.
    listed: Mutex<Vec<(String, String)>>,
}

/// The most sessions of a page, and the most bytes.
const MAX_PAGE: usize = 500;
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

impl Cast {
    /// What an entry says; none where it is no cast, or none that makes sense.
    pub(crate) fn of(instance: &Arc<Instance>, entry: &Read) -> Option<Self> {
        let selector: Selector = entry.json(0)?;
        if selector.names() > Selector::MAX_NAMES {
            return None;
        }
        let deed = match entry.kind() {
            "cast" => Deed::Emit(Emission::of(entry, 0, 1)?),
            "joins" => Deed::Join(entry.json(1)?),
            "leaves" => Deed::Leave(entry.json(1)?),
            "closes" => Deed::Close(entry.json(1)?),
            "list" => Deed::List(List {
                call: entry.number(0)?,
                ..entry.json::<List>(1)?
            }),
            _ => return None,
        };
        let call = match &deed {
            Deed::Emit(emission) => emission.call,
            _ => None,
        };
        let question = call.map(|call| {
            Arc::new(Question {
                instance: Arc::clone(instance),
                call,
                asked: AtomicU64::new(0),
                missing: Mutex::default(),
            })
        });
        Some(Self {
            instance: Arc::clone(instance),
            selector,
            deed,
            seq: 0,
            question,
            listed: Mutex::default(),
        })
    }

    /// One more session is asked: what is kept until it has answered.
    pub fn ask(&self, session: impl Into<Box<str>>) -> Option<Asked> {
        let question = Arc::clone(self.question.as_ref()?);
        question.asked.fetch_add(1, Relaxed);
        Some(Asked {
            question,
            session: Some(session.into()),
        })
    }

    /// Adds a session to the page that a [`List`] asked for: its id, and what is told of it as JSON.
    pub fn add(&self, session: String, json: String) {
        lock(&self.listed).push((session, json));
    }

    /// The first of those that were found, in the order of their ids, and whether there are more.
    fn page(&self, list: &List) -> (String, bool) {
        let mut found = std::mem::take(&mut *lock(&self.listed));
        found.sort_unstable();
        let (mut page, mut count, total) = (String::from("["), 0, found.len());
        for (_, json) in found {
            if count == list.limit.min(MAX_PAGE) || page.len() + json.len() > MAX_PAGE_BYTES {
                break;
            }
            if count > 0 {
                page.push(',');
            }
            page.push_str(&json);
            count += 1;
        }
        page.push(']');
        (page, count < total)
    }
}

impl Drop for Cast {
    /// All workers have done it: it is known how many were asked, or who was found.
    fn drop(&mut self) {
        if let Deed::List(list) = &self.deed {
            let (page, more) = self.page(list);
            let entry = Entry::new("page").number(list.call).number(more.into());
            // An instance that takes nothing more gives up its question by itself.
            let _ = self.instance.say(0, &entry.body(page.as_bytes()));
        }
        if let Some(question) = self.question.take() {
            let asked = question.asked.load(Relaxed);
            question.say(&Entry::new("count").number(question.call).number(asked));
        }
    }
}

#[derive(Debug)]
struct Question {
    instance: Arc<Instance>,
    call: u64,
    asked: AtomicU64,
    missing: Mutex<Vec<Box<str>>>,
}

impl Question {
    fn say(&self, entry: &Entry<'_>) {
        // An instance that takes nothing more gives up its question by itself.
        let _ = self.instance.say(0, entry);
    }
}

impl Drop for Question {
    /// Nobody can answer any more.
    fn drop(&mut self) {
        let missing = std::mem::take(&mut *lock(&self.missing));
        let json = serde_json::json!({ "missing": missing }).to_string();
        self.say(&Entry::new("done").number(self.call).body(json.as_bytes()));
    }
}

/// A question to one session. Where it is dropped without an answer, that is told.
#[derive(Debug)]
pub struct AskedAlone {
    instance: Arc<Instance>,
    call: Option<u64>,
}

impl AskedAlone {
    /// The question that the instance calls by this number.
    pub fn new(instance: &Arc<Instance>, call: u64) -> Self {
        Self {
            instance: Arc::clone(instance),
            call: Some(call),
        }
    }

    /// The session answered: a JSON array of arguments, and attachments.
    pub fn answer(mut self, handle: u64, args: &[u8], attachments: &[Bytes]) {
        if let Some(call) = self.call.take() {
            let entry = Entry::new("answer").number(call).number(handle);
            // An instance that takes nothing more gives up its question by itself.
            let _ = self.instance.say(0, &entry.body(args).bodies(attachments));
        }
    }
}

impl Drop for AskedAlone {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            let _ = self
                .instance
                .say(0, &Entry::new("done").number(call).body(b"{}"));
        }
    }
}

/// One of those that a question asks. Where it is dropped without an answer, that is told.
#[derive(Debug)]
pub struct Asked {
    question: Arc<Question>,
    session: Option<Box<str>>,
}

impl Asked {
    /// It answered: a JSON array of arguments, and attachments.
    pub fn answer(mut self, handle: u64, args: &[u8], attachments: &[Bytes]) {
        self.session = None;
        let entry = Entry::new("answer")
            .number(self.question.call)
            .number(handle);
        self.question.say(&entry.body(args).bodies(attachments));
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            lock(&self.question.missing).push(session);
        }
    }
}
