//! Who may do what in a room.

mod claims;
mod compile;
mod cost;
mod error;
mod evaluate;
mod functions;
mod meter;
mod patterns;
mod strict;

#[cfg(test)]
mod tests;

pub use error::RuleError;

use sluice_contract::Code;

use crate::Identity;
use crate::regular::PatternBudget;

/// The longest expression.
pub const MAX_RULE_BYTES: usize = 4096;

/// A rule of a Room's `access`: a CEL expression that is true for those who may.
///
/// It knows `claims` (the claims of the session's token, a map), `user` (the user's name) and
/// `room.name`, `room.namespace` and `room.suffix` (what the first `*` of the Room's `match` stands
/// for), CEL's own functions and macros, and those that Kubernetes adds, but for `format` and
/// `lists.range`, whose results have no bound, `distinct`, which is slow, and `sum`, which can
/// overflow.
///
/// Two things are stricter than in the library that evaluates it: a field of something that has
/// no fields is an error, as the language has it, and never `false`, which a `!` would turn into
/// a yes; and what is not declared is refused when the rule is compiled.
///
/// **Bounds.** What an evaluation can cost at worst follows from the expression and from how many
/// elements the lists and maps of the claims have: the steps it takes, each loop going over all
/// that there is, and the bytes of the largest value it makes. When a rule is compiled it is found
/// how many elements keep it below a million steps (some 50 ms; a usual rule takes twenty steps)
/// and 256 KiB. A rule for which that is fewer than 64 is refused, and the others are not
/// evaluated for a token with more. Two things are counted while a rule runs, by the same million
/// steps: how long the texts are that are matched with regular expressions, and the turns of loops
/// inside loops. Regular expressions are compiled with the rule and may take 2.5 MiB.
#[derive(Debug)]
pub struct AccessRule {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Always(bool),
    Expression(evaluate::Expression),
}

/// The room that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct RoomInput<'r> {
    /// The room's name.
    pub name: &'r str,
    /// The room's namespace.
    pub namespace: &'r str,
    /// What the first `*` of the Room's `match` stands for.
    pub suffix: &'r str,
}

/// Why somebody may not. Both are a no; the second is also a fault of the rule or the token, to be
/// counted apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The rule does not allow it.
    #[error("the room's access rule does not allow this: ask for a token whose claims do")]
    Denied,
    /// The rule could not be evaluated. The text never holds a value.
    #[error("the room's access rule could not be evaluated: {0}")]
    Failed(String),
}

impl AccessError {
    /// The code that clients, counters and log lines know this by.
    pub fn code(&self) -> Code {
        match self {
            Self::Denied => Code::AccessDenied,
            Self::Failed(_) => Code::AccessError,
        }
    }
}

impl AccessRule {
    /// A rule that lets everyone or no one.
    pub fn always(allow: bool) -> Self {
        Self {
            kind: Kind::Always(allow),
        }
    }

    /// Compiles an expression. `true` and `false` alone are never evaluated.
    pub fn compile(text: &str) -> Result<Self, RuleError> {
        Self::compile_within(text, &mut PatternBudget::whole())
    }

    /// As [`compile`](Self::compile), where regular expressions may take no more than what is left.
    pub(crate) fn compile_within(text: &str, left: &mut PatternBudget) -> Result<Self, RuleError> {
        match text.trim() {
            "true" => return Ok(Self::always(true)),
            "false" => return Ok(Self::always(false)),
            _ if text.len() > MAX_RULE_BYTES => return Err(RuleError::TooLong(text.len())),
            _ => {}
        }
        let compiled = compile::compiled(text, left)?;
        Ok(Self {
            kind: Kind::Expression(evaluate::Expression::new(compiled)),
        })
    }

    /// Whether the rule lets `identity` do what it is about in `room`.
    pub fn check(&self, identity: &Identity, room: RoomInput<'_>) -> Result<(), AccessError> {
        let allowed = match &self.kind {
            Kind::Always(allowed) => *allowed,
            Kind::Expression(expression) => expression.evaluate(identity, room)?,
        };
        allowed.then_some(()).ok_or(AccessError::Denied)
    }
}
