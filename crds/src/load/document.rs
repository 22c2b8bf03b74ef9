//! Reads one document: what kind it is, what it is called, and the rest by its kind.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::place::Place;
use super::problem::{Problem, ProblemCode};
use super::resource::{CLUSTER, ROOM};
use super::schema::{self, Finding};
use super::secret;
use super::suggest;
use super::together::ReadDocuments;
use super::yaml::RawDocument;
use crate::API_VERSION;

/// The kinds that are read, with their `apiVersion`.
const KINDS: [(&str, &str); 3] = [
    ("RealtimeCluster", API_VERSION),
    ("Room", API_VERSION),
    ("Secret", "v1"),
];

/// The longest name that Kubernetes gives an object (RFC 1123).
const MAX_NAME: usize = 253;

/// What is checked of a document's metadata: that its fields exist, and the types of those that
/// people write.
static METADATA: LazyLock<Value> = LazyLock::new(|| {
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "namespace": {"type": "string"},
            "labels": texts,
            "annotations": texts,
            "generateName": {}, "uid": {}, "resourceVersion": {}, "generation": {},
            "creationTimestamp": {}, "deletionTimestamp": {}, "deletionGracePeriodSeconds": {},
            "ownerReferences": {}, "finalizers": {}, "managedFields": {}, "selfLink": {},
        },
    })
});

/// Reads a document and puts it with those found before.
pub(super) fn read(raw: RawDocument, found: &mut ReadDocuments, problems: &mut Vec<Problem>) {
    let RawDocument { place, value } = raw;
    let Value::Object(mut document) = value else {
        let message = "this is not a map; a document starts with apiVersion, kind and metadata";
        problems.push(Problem::at(&place, "", ProblemCode::WrongType, message));
        return;
    };
    if let Some(problem) = check_kind(&place, &document) {
        problems.push(problem);
        return;
    }
    let mut findings = check_metadata(document.get("metadata"));
    if !findings.is_empty() {
        // What is wrong with it has been said; the rest of the document is still checked.
        document.insert("metadata".to_owned(), json!({}));
    }
    if let Err(more) = read_kind(&place, document, found) {
        found.incomplete(&place);
        findings.extend(more);
    }
    let findings = findings.into_iter();
    problems.extend(findings.map(|it| Problem::at(&place, it.path, it.code, it.message)));
}

fn read_kind(
    place: &Place,
    document: Map<String, Value>,
    found: &mut ReadDocuments,
) -> Result<(), Vec<Finding>> {
    let place = place.clone();
    match place.kind.as_deref() {
        Some("RealtimeCluster") => found.clusters.push((place, CLUSTER.read(document)?)),
        Some("Room") => found.rooms.push((place, ROOM.read(document)?)),
        _ => {
            let name = place.name.clone().unwrap_or_default();
            found.secrets.push((place, secret::read(&name, &document)?));
        }
    }
    Ok(())
}

/// Whether the document is of a kind that is read here.
fn check_kind(place: &Place, document: &Map<String, Value>) -> Option<Problem> {
    let text = |field: &str| document.get(field).and_then(Value::as_str);
    let problem = |path: &str, code, message: String| Some(Problem::at(place, path, code, message));
    let Some(kind) = text("kind") else {
        let message = "this field is required; write RealtimeCluster, Room or Secret".to_owned();
        return problem("kind", ProblemCode::MissingField, message);
    };
    let Some((_, wanted)) = KINDS.iter().find(|(known, _)| *known == kind) else {
        let kinds = KINDS.map(|(known, _)| known);
        let hint = match suggest::nearest(kind, kinds) {
            Some(known) => format!("did you mean {known}?"),
            None => "move it to a file that the gateway does not read".to_owned(),
        };
        let message = format!(
            "the gateway reads {}, not {kind:?}; {hint}",
            kinds.join(", ")
        );
        return problem("kind", ProblemCode::UnknownKind, message);
    };
    match text("apiVersion") {
        Some(version) if version == *wanted => None,
        Some(version) => {
            let message = format!("{version:?} is not the version of a {kind}; write {wanted}");
            problem("apiVersion", ProblemCode::UnknownKind, message)
        }
        None => {
            let message = format!("this field is required; write {wanted}");
            problem("apiVersion", ProblemCode::MissingField, message)
        }
    }
}

fn check_metadata(metadata: Option<&Value>) -> Vec<Finding> {
    let mut metadata = metadata.cloned().unwrap_or_else(|| json!({}));
    schema::drop_nulls(&METADATA, &mut metadata);
    let mut findings = schema::check(&METADATA, &metadata, "metadata");
    if let Some(name) = metadata.get("name").and_then(Value::as_str)
        && !is_name(name)
    {
        findings.push(Finding {
            path: "metadata.name".to_owned(),
            code: ProblemCode::InvalidValue,
            message: format!(
                "{name:?} is not a name; use lower-case letters, digits, '-' and '.', and start and end with a letter or digit"
            ),
        });
    }
    findings
}

/// Whether Kubernetes takes a text as an object's name: a DNS subdomain (RFC 1123).
fn is_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let label = |label: &str| {
        let bytes = label.as_bytes();
        let ends =
            bytes.first().is_some_and(|b| inner(*b)) && bytes.last().is_some_and(|b| inner(*b));
        ends && bytes.iter().all(|b| inner(*b) || *b == b'-')
    };
    name.len() <= MAX_NAME && name.split('.').all(label)
}
