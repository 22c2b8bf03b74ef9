//! What is wrong with a document.

use std::fmt;

use super::place::Place;

/// Something that is wrong with a document. Its `Display` is one line that says where it is, what
/// is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of the source.
    pub file: String,
    /// Which of the source's documents it is, counted from 1; empty documents do not count. `None`
    /// when the problem is with no document in particular.
    pub document: Option<usize>,
    /// The line of the source, counted from 1, where only that is known.
    pub line: Option<u64>,
    /// The document's kind and name, as far as they are known: `Room support`.
    pub subject: Option<String>,
    /// The path of the field, such as `spec.history.maxAge`. Empty for the whole document.
    pub path: String,
    /// What is wrong and what to do about it.
    pub message: String,
    /// What kind of problem it is.
    pub code: ProblemCode,
}

impl Problem {
    pub(super) fn at(
        place: &Place,
        path: impl Into<String>,
        code: ProblemCode,
        message: impl Into<String>,
    ) -> Self {
        Self {
            file: place.file.clone(),
            document: Some(place.document),
            line: None,
            subject: place.subject(),
            path: path.into(),
            message: message.into(),
            code,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(document) = self.document {
            write!(f, ", document {document}")?;
        }
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(subject) = &self.subject {
            write!(f, " ({subject})")?;
        }
        f.write_str(": ")?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// Makes the enum and its texts from one list.
macro_rules! problems {
    ($( $(#[doc = $meaning:literal])+ $code:ident = $text:literal; )+) => {
        /// What kind of problem a [`Problem`] is. The text of each is stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ProblemCode {
            $( $(#[doc = $meaning])+ $code, )+
        }

        impl ProblemCode {
            /// Every kind once.
            pub const ALL: [Self; [$($text),+].len()] = [$( Self::$code ),+];

            /// The stable text of the code, in snake case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$code => $text, )+
                }
            }
        }
    };
}

problems! {
    /// The text is not YAML.
    InvalidYaml = "invalid_yaml";
    /// The document is of a kind that is not read here.
    UnknownKind = "unknown_kind";
    /// A field that must be there is not.
    MissingField = "missing_field";
    /// A field that does not exist.
    UnknownField = "unknown_field";
    /// A value of the wrong type.
    WrongType = "wrong_type";
    /// A value that is not one of those allowed, or not of the right form.
    InvalidValue = "invalid_value";
    /// A number, text or list beyond its bounds.
    OutOfBounds = "out_of_bounds";
    /// Two documents, or two entries, that only one may be.
    Duplicate = "duplicate";
    /// A combination of values that cannot work.
    CannotWork = "cannot_work";
    /// There is no `RealtimeCluster`, or more than one.
    ClusterCount = "cluster_count";
    /// A name that refers to nothing.
    UnknownReference = "unknown_reference";
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
