//! Why an expression is no rule.

use cel::ParseErrors;

/// Why an expression is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The expression is too long.
    #[error("the expression has {0} bytes, and 4096 is as many as it may have")]
    TooLong(usize),
    /// The expression is no CEL.
    #[error("{message} at line {line}, column {column}: see cel.dev for the language")]
    Syntax {
        /// What is wrong, as the parser says it.
        message: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The expression names something that does not exist.
    #[error(
        "`{0}` is not known here: a rule knows claims, user, room.name, room.namespace and room.suffix"
    )]
    Undeclared(String),
    /// The expression calls a function that does not exist.
    #[error(
        "there is no function `{0}`: a rule can call CEL's own and those that Kubernetes adds, except distinct, format, lists.range and sum"
    )]
    Function(String),
    /// It asks for a part of the room that there is not, or for the whole of it.
    #[error("`{0}` is not known here: a room has room.name, room.namespace and room.suffix")]
    RoomField(String),
    /// A loop's variable hides what the rule is about.
    #[error(
        "a loop's variable cannot be called `{0}`, since that is already something else: give it another name"
    )]
    Shadowed(String),
    /// The expression has something that a rule cannot have.
    #[error("a rule cannot have {0}: use lists, maps and plain values")]
    Unsupported(String),
    /// A regular expression is not written in the rule.
    #[error(
        "the regular expression of `{0}` must be a text in the rule itself, so that it can be checked and bounded"
    )]
    OpenPattern(String),
    /// A regular expression is none.
    #[error("`{0}` is no regular expression: see docs.rs/regex for the syntax")]
    Pattern(String),
    /// A regular expression, with those before it, is too large.
    #[error(
        "the regular expressions of the rule take more than 2.5 MiB with `{0}`: repeat \\w, \\pL and the like fewer times, or name the characters, as in [a-z0-9]"
    )]
    PatternTooLarge(String),
    /// The regular expressions of all Rooms are too large.
    #[error(
        "the regular expressions of all Rooms together take more than 64 MiB with those of this rule: repeat \\w, \\pL and the like fewer times"
    )]
    AllPatternsTooLarge,
    /// Loops are nested too deep.
    #[error("loops are nested more than 6 deep: use fewer, or what the token says itself")]
    TooManyLoops,
    /// The expression is nested too deep.
    #[error("the expression is nested more than 100 deep: split it into parts joined by && or ||")]
    TooDeep,
    /// The expression could take too long.
    #[error(
        "the rule could take too long for a token with many claims: put no loop over claims into another one; use `in`, or sets.intersects(…) instead"
    )]
    TooManySteps,
    /// The expression could make too large a value.
    #[error(
        "the rule could make a value of more than 256 KiB for a token with many claims: join and repeat less"
    )]
    TooLarge,
}

impl RuleError {
    pub(super) fn syntax(errors: &ParseErrors) -> Self {
        let place = |n: isize| usize::try_from(n).unwrap_or(0);
        let first = errors.errors.first();
        let message = first.map_or("this is no expression", |error| error.msg.as_str());
        Self::Syntax {
            message: message.trim().to_owned(),
            line: first.map_or(1, |error| place(error.pos.0)),
            column: first.map_or(1, |error| place(error.pos.1)),
        }
    }
}
