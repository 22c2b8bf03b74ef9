//! Reads and checks documents offline: the same YAML that a user gives `kubectl`.
//!
//! A document is checked as an API server would check it (types, bounds, required fields,
//! defaults, CEL rules), and beyond that for unknown fields, which an API server drops silently,
//! and for what only shows when all documents are seen together. Every problem is found, not only
//! the first.

mod document;
mod place;
mod problem;
mod references;
mod resource;
mod rules;
mod schema;
mod secret;
mod suggest;
mod together;
mod wording;
mod yaml;

pub use problem::{Problem, ProblemCode};
pub use secret::Secret;

use crate::{RealtimeCluster, Room, SecretKeyRef};

/// A text with YAML documents, and what people call it: the name of its file.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The name that problems are reported with.
    pub name: &'a str,
    /// The text: any number of YAML documents, separated by `---`.
    pub text: &'a str,
}

/// What a gateway works by, checked and with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Documents {
    /// The one `RealtimeCluster`.
    pub cluster: RealtimeCluster,
    /// The `Room`s, in the order in which they were read. All of them belong to `cluster`.
    pub rooms: Vec<Room>,
    /// The `Secret`s, in the order in which they were read.
    pub secrets: Vec<Secret>,
}

impl Documents {
    /// The `Secret` of that name, if it was among the documents.
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.iter().find(|secret| secret.name == name)
    }

    /// The bytes that a reference names, if their `Secret` was among the documents.
    pub fn secret_value(&self, reference: &SecretKeyRef) -> Option<&[u8]> {
        self.secret(&reference.name)?.get(&reference.key)
    }
}

/// Reads all documents of all sources and checks them.
///
/// There must be exactly one `RealtimeCluster`; `Room`s and `Secret`s there may be any number of.
/// Whether a referenced `Secret` is among the documents is not checked, since it may be mounted
/// instead; if it is, it must have the key.
///
/// # Errors
/// All problems of all documents, in the order of the documents.
pub fn load(sources: &[Source<'_>]) -> Result<Documents, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut found = together::ReadDocuments::default();
    for source in sources {
        for raw in yaml::split(source, &mut problems) {
            document::read(raw, &mut found, &mut problems);
        }
    }
    match together::check(found, sources, &mut problems) {
        Some(documents) if problems.is_empty() => Ok(documents),
        _ => Err(problems),
    }
}
