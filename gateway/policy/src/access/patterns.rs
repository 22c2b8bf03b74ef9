//! The regular expressions in a rule: compiled once, and charged for what matching them can cost.

use std::sync::Arc;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};
use cel::extractors::{Arguments, This};
use cel::objects::Opaque;
use cel::{Context, ExecutionError, Value};
use regex_automata::meta::Regex;

use super::functions::{Growth, growth, parts_mut};
use super::{RuleError, meter};
use crate::regular::{NoSize, PatternBudget};

/// What begins the names of the variables that hold a rule's regular expressions.
const PATTERN: &str = "@pattern.";

/// What the regular expressions of one rule may take together, compiled.
const MAX_PATTERN_BYTES: usize = 2560 * 1024;

/// States that are followed, for one byte of a text, in the time of one step.
const STATES_A_STEP: u64 = 24;

/// A compiled regular expression, as a value that only functions can do anything with.
#[derive(Debug)]
struct Pattern {
    text: String,
    regex: Regex,
    states: u64,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Opaque for Pattern {
    fn runtime_type_name(&self) -> &'static str {
        "sluice.pattern"
    }
}

impl Pattern {
    fn new(text: &str, left: &mut PatternBudget, most_bytes: usize) -> Result<Self, RuleError> {
        let size = left
            .size(text, most_bytes)
            .map_err(|problem| match problem {
                NoSize::AllTooLarge => RuleError::AllPatternsTooLarge,
                NoSize::TooLarge if is_regular(text) => RuleError::PatternTooLarge(text.to_owned()),
                NoSize::TooLarge => RuleError::Pattern(text.to_owned()),
            })?;
        // With its captures it takes a little more than was counted.
        let config = Regex::config().nfa_size_limit(Some(most_bytes.saturating_mul(2)));
        let regex = Regex::builder()
            .configure(config)
            .build(text)
            .map_err(|_| RuleError::PatternTooLarge(text.to_owned()))?;
        Ok(Self {
            text: text.to_owned(),
            regex,
            states: size.states,
        })
    }

    /// Charges what looking through so many bytes can cost.
    fn charge(&self, bytes: usize) -> Result<(), ExecutionError> {
        let bytes = bytes as u64;
        meter::take(1 + bytes.saturating_mul(self.states) / STATES_A_STEP)
    }

    /// What matches in a text, one after the other.
    fn find_all(&self, text: &str, limit: usize) -> Result<Vec<Value>, ExecutionError> {
        let mut found = Vec::new();
        self.charge(text.len())?;
        for part in self.regex.find_iter(text).take(limit) {
            found.push(text_value(text.get(part.range()).unwrap_or_default()));
            self.charge(text.len() - part.end())?;
        }
        Ok(found)
    }
}

/// Whether the text has the syntax of a regular expression.
fn is_regular(text: &str) -> bool {
    regex_automata::util::syntax::parse(text).is_ok()
}

fn text_value(text: &str) -> Value {
    Value::String(Arc::new(text.to_owned()))
}

/// Compiles the regular expressions of a rule, and puts variables in their place. What comes is
/// the variables' names and values.
pub(super) fn taken_out(
    expression: &mut IdedExpr,
    left: &mut PatternBudget,
) -> Result<Vec<(String, Value)>, RuleError> {
    let mut patterns = Vec::new();
    let before = left.left();
    let mut take = |text: &str| -> Result<String, RuleError> {
        let known = patterns.iter().position(|(known, _)| known == text);
        let place = known.unwrap_or(patterns.len());
        if known.is_none() {
            let most_bytes = MAX_PATTERN_BYTES.saturating_sub(before - left.left());
            let pattern: Arc<dyn Opaque> = Arc::new(Pattern::new(text, left, most_bytes)?);
            patterns.push((text.to_owned(), Value::Opaque(pattern)));
        }
        Ok(format!("{PATTERN}{place}"))
    };
    take_out(expression, &mut take)?;
    let named = patterns.into_iter().enumerate();
    Ok(named
        .map(|(place, (_, value))| (format!("{PATTERN}{place}"), value))
        .collect())
}

fn take_out(
    expression: &mut IdedExpr,
    take: &mut impl FnMut(&str) -> Result<String, RuleError>,
) -> Result<(), RuleError> {
    if let Expr::Call(call) = &mut expression.expr
        && growth(call) == Some(Growth::Pattern)
    {
        take_from(call, take)?;
    }
    for part in parts_mut(expression) {
        take_out(part, take)?;
    }
    Ok(())
}

fn take_from(
    call: &mut CallExpr,
    take: &mut impl FnMut(&str) -> Result<String, RuleError>,
) -> Result<(), RuleError> {
    let place = usize::from(call.target.is_none());
    let Some(argument) = call.args.get_mut(place) else {
        return Err(RuleError::OpenPattern(call.func_name.clone()));
    };
    let Expr::Literal(LiteralValue::String(text)) = &argument.expr else {
        return Err(RuleError::OpenPattern(call.func_name.clone()));
    };
    argument.expr = Expr::Ident(take(text.inner())?);
    Ok(())
}

/// Has the functions for regular expressions take compiled ones.
pub(super) fn register(context: &mut Context<'_>) {
    context.add_function("matches", matches);
    context.add_function("find", find);
    context.add_function("findAll", find_all);
}

#[expect(clippy::needless_pass_by_value, reason = "the library gives values")]
fn matches(
    This(text): This<Arc<String>>,
    pattern: Arc<dyn Opaque>,
) -> Result<bool, ExecutionError> {
    let pattern = compiled(Some(&pattern))?;
    pattern.charge(text.len())?;
    Ok(pattern.regex.is_match(text.as_str()))
}

#[expect(clippy::needless_pass_by_value, reason = "the library gives values")]
fn find(This(text): This<Arc<String>>, pattern: Arc<dyn Opaque>) -> Result<Value, ExecutionError> {
    let found = compiled(Some(&pattern))?.find_all(&text, 1)?;
    Ok(found.into_iter().next().unwrap_or_else(|| text_value("")))
}

fn find_all(
    This(text): This<Arc<String>>,
    Arguments(arguments): Arguments,
) -> Result<Value, ExecutionError> {
    let pattern = arguments.iter().find_map(|argument| match argument {
        Value::Opaque(pattern) => Some(pattern),
        _ => None,
    });
    let limit = arguments.iter().find_map(|argument| match argument {
        Value::Int(limit) => Some(usize::try_from(*limit).unwrap_or(usize::MAX)),
        _ => None,
    });
    let found = compiled(pattern)?.find_all(&text, limit.unwrap_or(usize::MAX))?;
    Ok(Value::List(Arc::new(found)))
}

fn compiled(pattern: Option<&Arc<dyn Opaque>>) -> Result<&Pattern, ExecutionError> {
    pattern
        .and_then(|pattern| (**pattern).downcast_ref::<Pattern>())
        .ok_or_else(|| ExecutionError::function_error("matches", "no regular expression"))
}
