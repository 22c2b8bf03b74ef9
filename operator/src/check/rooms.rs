//! Which Rooms can be used, and in which state.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use sluice_crds::{Problem, RoomSpec};

use super::{document, sentences};
use crate::{Object, reason};

/// What is to be said of a Room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The generation that was looked at.
    pub(crate) generation: i64,
    /// Why it is refused, with a reason for programs; `None` if it is not.
    pub(crate) refused: Option<(&'static str, String)>,
    /// The fields of it that this operator does not know.
    pub(crate) unknown: Vec<String>,
    /// The generation that the gateways are given; `None` if they are given none.
    pub(crate) given: Option<i64>,
}

/// A Room whose fate is not decided.
pub(super) struct Candidate {
    name: String,
    verdict: Verdict,
    /// Its documents, from the one that is wanted to the one that worked before; the last counts.
    documents: Vec<(i64, String)>,
}

/// The annotation in a document with the generation that it is of.
const GENERATION: &str = "sluice.dev/generation";

/// Rooms in the order of their age, so that of two for the same rooms the elder stays.
pub(super) fn candidates(rooms: &[Arc<Object>], last_documents: &str) -> Vec<Candidate> {
    let mut rooms: Vec<_> = rooms.iter().filter(|room| !room.is_deleted()).collect();
    rooms.sort_by_key(|room| {
        let created = room.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (created, room.name().to_owned())
    });
    let earlier = earlier(last_documents);
    let mut candidates: Vec<_> = rooms
        .into_iter()
        .map(|room| Candidate::new(room, &earlier))
        .collect();
    conflicts(&mut candidates);
    candidates
}

/// What is said of Rooms while their cluster cannot be used.
pub(super) fn undecided(rooms: &[Arc<Object>]) -> BTreeMap<String, Verdict> {
    let refused = || {
        let message = "the RealtimeCluster cannot be used as it is; look at its conditions";
        Some((reason::CLUSTER_INVALID, message.to_owned()))
    };
    let verdict = |room: &Arc<Object>| Verdict {
        generation: room.generation(),
        refused: refused(),
        unknown: Vec::new(),
        given: None,
    };
    rooms
        .iter()
        .map(|room| (room.name().to_owned(), verdict(room)))
        .collect()
}

/// The documents of Rooms that gateways were given last, by name.
fn earlier(last_documents: &str) -> BTreeMap<String, (i64, String)> {
    let mut found = BTreeMap::new();
    for text in last_documents.split("\n---\n") {
        let Ok(value) = serde_saphyr::from_str::<Value>(text) else {
            continue;
        };
        let field = |path: &str| value.pointer(path).and_then(Value::as_str);
        if let (Some("Room"), Some(name)) = (field("/kind"), field("/metadata/name")) {
            let generation = field("/metadata/annotations/sluice.dev~1generation");
            let generation = generation
                .and_then(|text| text.parse().ok())
                .unwrap_or_default();
            let text = format!("{}\n", text.trim_end());
            found.insert(name.to_owned(), (generation, text));
        }
    }
    found
}

impl Candidate {
    fn new(room: &Object, earlier: &BTreeMap<String, (i64, String)>) -> Self {
        let name = room.name().to_owned();
        let generation = room.generation();
        let mut candidate = Self {
            verdict: Verdict {
                generation,
                refused: None,
                unknown: Vec::new(),
                given: None,
            },
            documents: Vec::new(),
            name,
        };
        if let Some((before, text)) = earlier
            .get(&candidate.name)
            .filter(|(before, _)| *before != generation)
        {
            candidate.documents.push((*before, text.clone()));
        }
        if let Some(spec) = room.read::<RoomSpec>("spec") {
            candidate.want(room, &spec);
        } else {
            let message = "the spec cannot be read by this operator; upgrade the operator, or write the spec for its version";
            candidate.verdict.refused = Some((reason::INVALID_SPEC, message.to_owned()));
        }
        candidate
    }

    fn want(&mut self, room: &Object, spec: &RoomSpec) {
        let known = document::known(spec);
        self.verdict.unknown = unknown(&room.field("spec"), &known, "spec");
        let mut whole = document::whole(room, "Room", &known);
        whole["metadata"]["annotations"][GENERATION] = self.verdict.generation.to_string().into();
        self.documents
            .push((self.verdict.generation, document::text(&whole)));
    }

    /// The document that counts.
    pub(super) fn text(&self) -> Option<&str> {
        self.documents.last().map(|(_, text)| text.as_str())
    }

    /// Goes back by one document if the problems are of this Room; says whether it did.
    pub(super) fn judge(&mut self, problems: &[Problem]) -> bool {
        let subject = format!("Room {}", self.name);
        let own = problems
            .iter()
            .filter(|it| it.subject.as_deref() == Some(&subject));
        let own: Vec<_> = own.cloned().collect();
        if own.is_empty() || self.documents.is_empty() {
            return false;
        }
        self.refuse(reason::INVALID_SPEC, sentences(&own));
        true
    }

    fn refuse(&mut self, reason: &'static str, message: String) {
        self.documents.pop();
        self.verdict.refused.get_or_insert((reason, message));
    }

    /// What is to be said.
    pub(super) fn verdict(self) -> (String, Verdict) {
        let given = self.documents.last().map(|(generation, _)| *generation);
        (
            self.name,
            Verdict {
                given,
                ..self.verdict
            },
        )
    }

    fn place(&self) -> Option<(String, String)> {
        let value: Value = serde_saphyr::from_str(self.text()?).ok()?;
        let field = |path| Some(value.pointer(path)?.as_str()?.to_owned());
        Some((field("/spec/namespace")?, field("/spec/match")?))
    }
}

/// Of Rooms for the same rooms, all but the first are refused.
fn conflicts(candidates: &mut [Candidate]) {
    let mut taken: BTreeMap<(String, String), String> = BTreeMap::new();
    for candidate in candidates {
        let Some(place) = candidate.place() else {
            continue;
        };
        match taken.get(&place) {
            None => drop(taken.insert(place, candidate.name.clone())),
            Some(first) => {
                let message = format!(
                    "spec.match: the Room {first} is for the same rooms ({} in the namespace {}) and was there first; merge the two, or change one",
                    place.1, place.0
                );
                candidate.refuse(reason::CONFLICT, message);
            }
        }
    }
}

/// The paths of fields that are in a document and not in what is known of it.
fn unknown(all: &Value, known: &Value, path: &str) -> Vec<String> {
    let (Value::Object(all), Value::Object(known)) = (all, known) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (key, value) in all {
        let path = format!("{path}.{key}");
        match known.get(key) {
            Some(known) => found.extend(unknown(value, known, &path)),
            None if value.is_null() => {}
            None => found.push(path),
        }
    }
    found
}
