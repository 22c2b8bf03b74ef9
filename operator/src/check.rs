//! Checking what users inputs for, as the API server and the gateways do, before any gateway gets
//! it.
//!
//! One Room that cannot be used spoils nothing: it is left out, or stays as it was when it could
//! be used, and everything else takes effect.

mod document;
mod rooms;

use std::{collections::BTreeMap, sync::Arc};

use sluice_crds::{
    Documents, Problem, ProblemCode, RealtimeClusterSpec, SecretKeyRef, Source, load,
};
use sluice_policy::{Policy, SecretSource};

use self::rooms::Candidate;
pub(crate) use self::rooms::Verdict;
use crate::{
    Object,
    plan::Cluster,
    reason,
    trouble::{Effect, Trouble},
};

/// The Secrets of a Kubernetes namespace that a cluster names, as far as they are there.
pub(crate) type Secrets = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

/// What is checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inputs<'a> {
    /// The `RealtimeCluster`.
    pub(crate) cluster: &'a Object,
    /// Its `Room`s, with those that are being deleted.
    pub(crate) rooms: &'a [Arc<Object>],
    /// The Secrets that it names.
    pub(crate) secrets: &'a Secrets,
    /// The documents that the gateways were given last; nothing if none were.
    pub(crate) last_documents: &'a str,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checked {
    /// The fleet that is wanted; `None` where the `RealtimeCluster` cannot be used.
    pub(crate) cluster: Option<Cluster>,
    /// What the gateways are to work by.
    pub(crate) documents: String,
    /// What is to be said of each `Room`, by name.
    pub(crate) rooms: BTreeMap<String, Verdict>,
    /// What is wrong with the `RealtimeCluster`.
    pub(crate) troubles: Vec<Trouble>,
}

impl Checked {
    /// The generation of each `Room` that is in the documents, by name.
    pub(crate) fn generations(&self) -> BTreeMap<String, i64> {
        let given = self.rooms.iter();
        let given = given.filter_map(|(name, verdict)| Some((name.clone(), verdict.given?)));
        given.collect()
    }
}

/// Checks a `RealtimeCluster` with its `Room`s and Secrets.
pub(crate) fn check(inputs: &Inputs<'_>) -> Checked {
    let mut troubles = Vec::new();
    let Some(spec) = cluster(inputs.cluster, &mut troubles) else {
        return Checked {
            troubles,
            rooms: rooms::undecided(inputs.rooms),
            ..Checked::default()
        };
    };
    let document = document::cluster(inputs.cluster, &spec);
    let candidates = rooms::candidates(inputs.rooms, inputs.last_documents);
    let (documents, rooms) = settle(&document, candidates, inputs.secrets, &mut troubles);
    tls(&spec, inputs.secrets, &mut troubles);
    if let Some(what) = spec.limits.undeliverable() {
        let message = format!("spec.limits.payloadBytes: {what}");
        troubles.push(Trouble::notes(reason::UNDELIVERABLE, message));
    }
    let usable = troubles.iter().all(|it| it.effect != Effect::Stalls);
    Checked {
        cluster: usable.then(|| Cluster {
            name: inputs.cluster.name().to_owned(),
            namespace: inputs.cluster.namespace().to_owned(),
            uid: inputs.cluster.uid().to_owned(),
            spec,
        }),
        documents,
        rooms,
        troubles,
    }
}

/// The spec, if it is one. Fields that this operator does not know are told of and left out.
fn cluster(object: &Object, troubles: &mut Vec<Trouble>) -> Option<RealtimeClusterSpec> {
    let whole = document::whole(object, "RealtimeCluster", &object.field("spec"));
    let text = document::text(&whole);
    let (unknown, wrong) = split(problems(&[("RealtimeCluster", &text)]));
    if let Some(note) = unknown_fields(&unknown) {
        troubles.push(note);
    }
    if !wrong.is_empty() {
        troubles.push(Trouble::stalls(reason::INVALID_SPEC, sentences(&wrong)));
        return None;
    }
    let spec = object.read("spec");
    if spec.is_none() {
        let message = "the spec cannot be read by this operator; upgrade the operator, or write the spec for its version";
        troubles.push(Trouble::stalls(reason::INVALID_SPEC, message));
    }
    spec
}

/// Takes Rooms out until the rest can be used, and says why.
fn settle(
    cluster: &str,
    mut candidates: Vec<Candidate>,
    secrets: &Secrets,
    troubles: &mut Vec<Trouble>,
) -> (String, BTreeMap<String, Verdict>) {
    loop {
        let found = together(&texts(cluster, &candidates), secrets);
        let mut refused = false;
        for candidate in &mut candidates {
            refused |= candidate.judge(&found);
        }
        if refused {
            continue;
        }
        troubles.extend(of_cluster(&found));
        let text = texts(cluster, &candidates).join("---\n");
        let verdicts = candidates.into_iter().map(Candidate::verdict);
        return (text, verdicts.collect());
    }
}

fn texts<'a>(cluster: &'a str, candidates: &'a [Candidate]) -> Vec<&'a str> {
    let rooms = candidates.iter().filter_map(Candidate::text);
    [cluster].into_iter().chain(rooms).collect()
}

/// Every problem of the documents together, those that only a gateway finds too.
fn together(texts: &[&str], secrets: &Secrets) -> Vec<Problem> {
    let sources: Vec<_> = texts
        .iter()
        .map(|text| Source {
            name: "documents",
            text,
        })
        .collect();
    match load(&sources) {
        Err(problems) => problems,
        Ok(documents) => compile(&documents, secrets),
    }
}

fn compile(documents: &Documents, secrets: &Secrets) -> Vec<Problem> {
    let compiled = Policy::compile(documents, &Mounted(secrets), None);
    compiled.err().unwrap_or_default()
}

struct Mounted<'a>(&'a Secrets);

impl SecretSource for Mounted<'_> {
    fn get(&self, reference: &SecretKeyRef) -> Option<Vec<u8>> {
        self.0.get(&reference.name)?.get(&reference.key).cloned()
    }
}

fn problems(texts: &[(&str, &String)]) -> Vec<Problem> {
    let sources: Vec<_> = texts
        .iter()
        .map(|(name, text)| Source { name, text })
        .collect();
    load(&sources).err().unwrap_or_default()
}

fn split(problems: Vec<Problem>) -> (Vec<Problem>, Vec<Problem>) {
    let is_unknown = |problem: &Problem| problem.code == ProblemCode::UnknownField;
    problems.into_iter().partition(is_unknown)
}

fn unknown_fields(unknown: &[Problem]) -> Option<Trouble> {
    if unknown.is_empty() {
        return None;
    }
    let fields: Vec<_> = unknown.iter().map(|it| it.path.as_str()).collect();
    let message = format!(
        "this operator does not know {} and goes on without; upgrade the operator, or remove what it does not know",
        fields.join(", ")
    );
    Some(Trouble::notes(reason::UNKNOWN_FIELDS, message))
}

/// What is wrong with the cluster itself: with a Secret that may still come, or with the spec.
fn of_cluster(problems: &[Problem]) -> Vec<Trouble> {
    let (missing, wrong): (Vec<_>, Vec<_>) = problems
        .iter()
        .cloned()
        .partition(|it| it.code == ProblemCode::UnknownReference);
    let mut troubles = Vec::new();
    if !missing.is_empty() {
        troubles.push(Trouble::waits(reason::SECRET_MISSING, sentences(&missing)));
    }
    if !wrong.is_empty() {
        troubles.push(Trouble::stalls(reason::INVALID_SPEC, sentences(&wrong)));
    }
    troubles
}

fn tls(spec: &RealtimeClusterSpec, secrets: &Secrets, troubles: &mut Vec<Trouble>) {
    let Some(tls) = &spec.tls else { return };
    let name = &tls.secret_name;
    let secret = secrets.get(name);
    let has = |key: &&str| secret.is_some_and(|secret| secret.contains_key(*key));
    if !["tls.crt", "tls.key"].iter().all(has) {
        let message = format!(
            "spec.tls.secretName: there is no Secret {name} with the keys tls.crt and tls.key: create it, or name the one that there is"
        );
        troubles.push(Trouble::waits(reason::SECRET_MISSING, message));
    }
}

/// The problems, a sentence each.
fn sentences(problems: &[Problem]) -> String {
    let sentences = problems.iter().map(|problem| match problem.path.as_str() {
        "" => problem.message.clone(),
        path => format!("{path}: {}", problem.message),
    });
    sentences.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
