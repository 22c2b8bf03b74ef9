//! What is wrong with documents, gathered while they are compiled.

use std::fmt::Display;

use sluice_crds::{Problem, ProblemCode};

/// Problems in the order in which they are found.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// A field of a document (`Room support`) has a value that cannot be used.
    pub(super) fn invalid(&mut self, subject: &str, path: impl Into<String>, what: impl Display) {
        self.add(subject, path, ProblemCode::InvalidValue, what);
    }

    /// A field of a document names something that is not there.
    pub(super) fn missing(&mut self, subject: &str, path: impl Into<String>, what: impl Display) {
        self.add(subject, path, ProblemCode::UnknownReference, what);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_vec(self) -> Vec<Problem> {
        self.0
    }

    fn add(
        &mut self,
        subject: &str,
        path: impl Into<String>,
        code: ProblemCode,
        what: impl Display,
    ) {
        self.0.push(Problem {
            file: "policy".to_owned(),
            document: None,
            line: None,
            subject: Some(subject.to_owned()),
            path: path.into(),
            message: what.to_string(),
            code,
        });
    }
}
