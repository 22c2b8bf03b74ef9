//! What an expression can cost at worst.

use cel::ParseErrors;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators,
};

use super::functions::{self, Growth};
use super::strict::{CLAIM, CLAIMS, HAS_CLAIM, ROOM_FIELDS, USER};
use crate::{MAX_TOKEN_BYTES, MAX_USER_BYTES};

/// The most steps an evaluation may take at worst.
const MAX_STEPS: u64 = 1_000_000;

/// The largest value an evaluation may make at worst, in bytes.
const MAX_SIZE: u64 = 256 * 1024;

/// Steps that a regular expression is counted as, which is compiled at each call.
const PATTERN_STEPS: u64 = 1_000;

/// Comparisons of two values inside an operator or a function that are counted as one step.
const COMPARISONS_A_STEP: u64 = 16;

/// Why an expression is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It is too long.
    #[error("the expression has {0} bytes, and 4096 is as many as it may have")]
    TooLong(usize),
    /// It is no CEL.
    #[error("{message} at line {line}, column {column}: see cel.dev for the language")]
    Syntax {
        /// What is wrong, as the parser says it.
        message: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It names something that there is not.
    #[error(
        "`{0}` is not known here: a rule knows claims, user, room.name, room.namespace and room.suffix"
    )]
    Undeclared(String),
    /// It calls a function that there is not.
    #[error(
        "there is no function `{0}`: a rule can call CEL's own and those that Kubernetes adds, except format and lists.range"
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
    /// It has something that a rule cannot have.
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
    /// It could take too long.
    #[error(
        "the rule could take too long for a token with many claims: put no loop over claims into another one; use `in`, or sets.intersects(…) instead"
    )]
    TooManySteps,
    /// It could make too large a value.
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

/// The most that evaluating an expression takes, and the most that its value can be.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    steps: u64,
    /// Bytes, where a number or a yes or no is one.
    size: u64,
    /// Elements, if it is a list or a map.
    count: u64,
    /// Elements of all that is in it, at any depth.
    nested: u64,
}

impl Cost {
    fn plain(size: u64) -> Self {
        Self {
            size,
            ..Self::default()
        }
    }

    /// What a value read from the claims can be. An element takes two bytes at least.
    fn of_claims() -> Self {
        let size = MAX_TOKEN_BYTES as u64 / 4 * 3;
        Self {
            steps: 0,
            size,
            count: size / 2,
            nested: size / 2,
        }
    }

    /// What a value of `size` bytes can be, of which nothing else is known.
    fn any(steps: u64, size: u64) -> Self {
        Self {
            steps,
            size,
            count: size,
            nested: size,
        }
    }

    /// What one of its elements can be.
    fn element(self) -> Self {
        Self {
            steps: 0,
            size: self.size,
            count: self.nested,
            nested: self.nested,
        }
    }

    fn with_steps(self, steps: u64) -> Self {
        Self {
            steps: self.steps.saturating_add(steps),
            ..self
        }
    }

    /// Both, one of which is the value.
    fn either(self, other: Self) -> Self {
        Self {
            steps: self.steps.saturating_add(other.steps),
            size: self.size.max(other.size),
            count: self.count.max(other.count),
            nested: self.nested.max(other.nested),
        }
    }

    /// Both, together in one value.
    fn with(self, other: Self) -> Self {
        Self {
            steps: self.steps.saturating_add(other.steps),
            size: self.size.saturating_add(other.size),
            count: self.count.saturating_add(other.count),
            nested: self.nested.saturating_add(other.nested),
        }
    }

    /// This with one more element in it.
    fn holding(self, element: Self) -> Self {
        let all = self.with(element);
        Self {
            count: self.count.saturating_add(1),
            nested: all.nested.saturating_add(element.count),
            ..all
        }
    }
}

/// The variables of the loops around an expression.
type Scope = Vec<(String, Cost)>;

/// Refuses an expression that names what there is not or that could cost too much.
pub(super) fn check(expression: &IdedExpr) -> Result<(), RuleError> {
    let cost = measure(expression, &mut Scope::new())?;
    if cost.steps > MAX_STEPS {
        return Err(RuleError::TooManySteps);
    }
    Ok(())
}

fn measure(expression: &IdedExpr, scope: &mut Scope) -> Result<Cost, RuleError> {
    let cost = match &expression.expr {
        Expr::Literal(literal) => Cost::plain(literal_size(literal)),
        Expr::Ident(name) => variable(name, scope)?,
        Expr::Call(call) => measure_call(call, scope)?,
        Expr::List(list) => list
            .elements
            .iter()
            .try_fold(Cost::plain(1), |all, element| {
                Ok(all.holding(measure(element, scope)?))
            })?,
        Expr::Map(map) => map.entries.iter().try_fold(Cost::plain(1), |all, entry| {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return Err(RuleError::Unsupported("a field in a map".to_owned()));
            };
            Ok(all.holding(measure(&entry.key, scope)?.with(measure(&entry.value, scope)?)))
        })?,
        Expr::Comprehension(all) => measure_loop(all, scope)?,
        Expr::Select(_) | Expr::Struct(_) | Expr::Unspecified => {
            return Err(RuleError::Unsupported("this kind of expression".to_owned()));
        }
    };
    if cost.size > MAX_SIZE {
        return Err(RuleError::TooLarge);
    }
    Ok(cost.with_steps(1))
}

fn literal_size(literal: &LiteralValue) -> u64 {
    match literal {
        LiteralValue::String(text) => text.inner().len() as u64 + 1,
        LiteralValue::Bytes(bytes) => bytes.inner().len() as u64 + 1,
        _ => 1,
    }
}

fn variable(name: &str, scope: &Scope) -> Result<Cost, RuleError> {
    if let Some((_, cost)) = scope.iter().rev().find(|(known, _)| known == name) {
        return Ok(*cost);
    }
    if name == CLAIMS || name.starts_with(CLAIM) {
        return Ok(Cost::of_claims());
    }
    if name.starts_with(HAS_CLAIM) {
        return Ok(Cost::plain(1));
    }
    if name == USER || ROOM_FIELDS.contains(&name) {
        return Ok(Cost::plain(MAX_USER_BYTES as u64));
    }
    Err(RuleError::Undeclared(name.to_owned()))
}

fn measure_call(call: &CallExpr, scope: &mut Scope) -> Result<Cost, RuleError> {
    let target = call
        .target
        .as_deref()
        .filter(|target| !functions::is_prefix(target));
    let mut inputs = Vec::with_capacity(call.args.len() + 1);
    for input in target.into_iter().chain(&call.args) {
        inputs.push(measure(input, scope)?);
    }
    let all = inputs
        .iter()
        .fold(Cost::plain(1), |all, input| all.with(*input));
    // What an operator or a function does with values that are large.
    let touched = all.nested.saturating_add(all.size / 64) / COMPARISONS_A_STEP;
    let steps = all.steps.saturating_add(touched);
    match (call.func_name.as_str(), inputs.as_slice()) {
        (operators::CONDITIONAL, [condition, yes, no]) => {
            return Ok(yes.either(*no).with_steps(condition.steps));
        }
        (operators::ADD, [left, right]) => return Ok(left.with(*right).with_steps(all.size / 64)),
        (operators::INDEX, [map, _]) => {
            return Ok(Cost {
                steps: all.steps,
                ..map.element()
            });
        }
        _ => {}
    }
    let growth =
        functions::growth(call).ok_or_else(|| RuleError::Function(functions::full_name(call)))?;
    Ok(match growth {
        Growth::Scalar => Cost {
            steps,
            ..Cost::plain(1)
        },
        Growth::Pairs => {
            let pairs = inputs
                .iter()
                .fold(1, |pairs: u64, list| pairs.saturating_mul(list.nested));
            Cost {
                steps: steps.saturating_add(pairs / COMPARISONS_A_STEP),
                ..Cost::plain(1)
            }
        }
        Growth::Sum => Cost::any(steps, all.size * 2),
        Growth::Pattern => Cost::any(steps.saturating_add(PATTERN_STEPS), all.size * 2),
        Growth::Product => {
            let product = |size: u64, input: &Cost| size.saturating_mul(input.size + 1);
            Cost::any(steps, inputs.iter().fold(1, product))
        }
    })
}

/// A loop over all elements of the longest list there can be. What one turn costs grows with its
/// element, at least in proportion, so all turns cost no more than as many with nothing in them
/// and one with everything.
fn measure_loop(all: &ComprehensionExpr, scope: &mut Scope) -> Result<Cost, RuleError> {
    let range = measure(&all.iter_range, scope)?;
    let start = measure(&all.accu_init, scope)?;
    let depth = scope.len();
    let mut turn = |element: Cost| -> Result<Cost, RuleError> {
        scope.truncate(depth);
        scope.push((all.iter_var.clone(), element));
        scope.push((all.accu_var.clone(), Cost { steps: 0, ..start }));
        let condition = measure(&all.loop_cond, scope)?;
        Ok(measure(&all.loop_step, scope)?.with_steps(condition.steps))
    };
    let (small, large) = (turn(Cost::plain(1))?, turn(range.element())?);
    let total = |at_first: u64, small: u64, large: u64| {
        let (small, large) = (
            small.saturating_sub(at_first),
            large.saturating_sub(at_first),
        );
        range
            .count
            .saturating_mul(small)
            .saturating_add(large)
            .saturating_add(at_first)
    };
    let turns = range
        .count
        .saturating_mul(small.steps)
        .saturating_add(large.steps);
    let end = Cost {
        steps: 0,
        size: total(start.size, small.size, large.size),
        count: total(start.count, small.count, large.count),
        nested: total(start.nested, small.nested, large.nested),
    };
    scope.truncate(depth);
    scope.push((all.accu_var.clone(), end));
    let result = measure(&all.result, scope);
    scope.truncate(depth);
    Ok(result?.with_steps(
        turns
            .saturating_add(range.steps)
            .saturating_add(start.steps),
    ))
}
