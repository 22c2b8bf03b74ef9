//! A stream of the simulated NATS: what it stores and what it forgets.

use std::collections::BTreeMap;

use bytes::Bytes;

/// A message of a stream.
#[derive(Debug, Clone)]
pub struct Stored {
    pub seq: u64,
    pub subject: String,
    pub payload: Bytes,
    pub id: Option<String>,
    /// When it was stored, and when it was dropped.
    pub at: u64,
    pub removed: Option<u64>,
    /// When it is too old.
    pub expires: Option<u64>,
}

impl Stored {
    /// Whether a replica has it that is at `view`.
    fn is_there(&self, view: u64) -> bool {
        let is_over = |at: Option<u64>| at.is_some_and(|at| at <= view);
        self.at <= view && !is_over(self.removed) && !is_over(self.expires)
    }
}

/// A message that is to be stored.
#[derive(Debug)]
pub struct New<'a> {
    pub subject: &'a str,
    pub payload: Bytes,
    pub id: Option<String>,
    /// Which one must be the last of its subject.
    pub expected: Option<u64>,
    /// How long it is kept, in microseconds.
    pub ttl: Option<u64>,
}

/// What becomes of a message that is to be stored.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Stored, after this one of its subject.
    Stored { seq: u64, previous: u64 },
    /// It was stored before.
    Duplicate(u64),
    /// Another one is the last of its subject.
    Unexpected(u64),
}

/// One stream. Nothing leaves its log, so that checks can tell what was there.
#[derive(Debug)]
pub struct Stream {
    pub name: String,
    pub created: String,
    /// What its subjects begin with.
    prefixes: Vec<String>,
    pub per_subject: Option<u64>,
    pub log: Vec<Stored>,
    subjects: BTreeMap<String, Vec<u64>>,
    ids: BTreeMap<String, u64>,
}

impl Stream {
    pub fn new(name: String, prefixes: Vec<String>, per_subject: Option<u64>) -> Self {
        Self {
            name,
            created: "2026-11-23T10:00:00.000000001Z".to_owned(),
            prefixes,
            per_subject,
            log: Vec::new(),
            subjects: BTreeMap::new(),
            ids: BTreeMap::new(),
        }
    }

    pub fn takes(&self, subject: &str) -> bool {
        self.prefixes
            .iter()
            .any(|prefix| subject.starts_with(prefix))
    }

    pub fn last_seq(&self) -> u64 {
        self.log.len() as u64
    }

    /// The last sequence number of a replica that is at `view`.
    pub fn last_at(&self, view: u64) -> u64 {
        self.log.partition_point(|stored| stored.at <= view) as u64
    }

    pub fn store(
        &mut self,
        now: u64,
        New {
            subject,
            payload,
            id,
            expected,
            ttl,
        }: New<'_>,
    ) -> Outcome {
        let previous = self.last_of(subject, now).map_or(0, |last| last.seq);
        if expected.is_some_and(|expected| expected != previous) {
            return Outcome::Unexpected(previous);
        }
        if let Some(seq) = id.as_ref().and_then(|id| self.ids.get(id)) {
            return Outcome::Duplicate(*seq);
        }
        let seq = self.last_seq() + 1;
        if let Some(id) = &id {
            self.ids.insert(id.clone(), seq);
        }
        self.log.push(Stored {
            seq,
            subject: subject.to_owned(),
            payload,
            id,
            at: now,
            removed: None,
            expires: ttl.map(|ttl| now + ttl),
        });
        let own = self.subjects.entry(subject.to_owned()).or_default();
        own.push(seq);
        if let Some(limit) = self.per_subject
            && own.len() as u64 > limit
        {
            let oldest = own[own.len() - 1 - limit as usize];
            self.log[oldest as usize - 1].removed = Some(now);
        }
        Outcome::Stored { seq, previous }
    }

    /// The messages of a subject as a replica has them that is at `view`, from `seq` on.
    pub fn from<'a>(
        &'a self,
        seq: u64,
        subject: &'a str,
        view: u64,
    ) -> Box<dyn DoubleEndedIterator<Item = &'a Stored> + 'a> {
        let there = move |message: &&Stored| message.is_there(view);
        if subject.contains(['*', '>']) {
            let start = (seq.saturating_sub(1) as usize).min(self.log.len());
            let ours = move |message: &&Stored| matches(subject, &message.subject);
            return Box::new(self.log[start..].iter().filter(there).filter(ours));
        }
        let own = self.ever(subject);
        let own = &own[own.partition_point(|own| *own < seq)..];
        let stored = |seq: &u64| &self.log[*seq as usize - 1];
        Box::new(own.iter().map(stored).filter(there))
    }

    pub fn last_of(&self, subject: &str, view: u64) -> Option<&Stored> {
        let last = self.from(1, subject, view).next_back()?.seq;
        self.log.get(last as usize - 1)
    }

    /// The subjects that a pattern speaks of.
    pub fn subjects<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = &'a str> {
        let one = self.subjects.get_key_value(pattern);
        let all = (one.is_none() && pattern.contains(['*', '>'])).then_some(&self.subjects);
        let all = all.into_iter().flatten();
        let all = all.filter(move |(subject, _)| matches(pattern, subject));
        one.into_iter().chain(all).map(|(subject, _)| &**subject)
    }

    pub fn purge(&mut self, now: u64, subject: &str) -> u64 {
        let mut purged = 0;
        for message in &mut self.log {
            if message.removed.is_none() && matches(subject, &message.subject) {
                message.removed = Some(now);
                purged += 1;
            }
        }
        purged
    }

    /// All sequence numbers that a subject ever had.
    pub fn ever(&self, subject: &str) -> &[u64] {
        self.subjects.get(subject).map_or(&[], Vec::as_slice)
    }
}

/// Whether a subject is one of those that a pattern speaks of.
pub fn matches(pattern: &str, subject: &str) -> bool {
    if !pattern.contains(['*', '>']) {
        return pattern == subject;
    }
    let mut tokens = subject.split('.');
    for part in pattern.split('.') {
        match (part, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (part, Some(token)) if part == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}
