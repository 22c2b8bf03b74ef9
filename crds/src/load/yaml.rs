//! Splitting texts into YAML documents.

use serde_json::Value;

use super::Source;
use super::place::Place;
use super::problem::{Problem, ProblemCode};

/// A document as it was written.
pub(super) struct RawDocument {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// Splits a source into its documents. Those that are empty are left out.
pub(super) fn split(source: &Source<'_>, problems: &mut Vec<Problem>) -> Vec<RawDocument> {
    let mut text = source.text.as_bytes();
    let mut documents = Vec::new();
    let options = serde_saphyr::Options::default();
    let parsed = serde_saphyr::read_with_options::<_, Value>(&mut text, options);
    for (index, parsed) in parsed.enumerate() {
        match parsed {
            Ok(value) => documents.push(raw_document(source.name, index + 1, value)),
            Err(error) => problems.push(syntax_problem(source.name, &error)),
        }
    }
    documents
}

fn raw_document(file: &str, document: usize, value: Value) -> RawDocument {
    let text = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let (kind, name) = (text("/kind"), text("/metadata/name"));
    RawDocument {
        place: Place {
            file: file.to_owned(),
            document,
            kind,
            name,
        },
        value,
    }
}

/// The parser's message without the part of the source that it can show: a `Secret` may be there.
fn syntax_problem(file: &str, error: &serde_saphyr::Error) -> Problem {
    let bare = error.without_snippet();
    Problem {
        file: file.to_owned(),
        document: None,
        line: bare.location().map(|location| location.line()),
        subject: None,
        path: String::new(),
        message: format!("this is not valid YAML: {bare}"),
        code: ProblemCode::InvalidYaml,
    }
}
