//! What an expression can cost at worst.

mod amount;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators,
};

use super::RuleError;
use super::functions::{self, Growth};
use amount::Cost;

use super::strict::{CLAIM, CLAIMS, HAS_CLAIM, ROOM_FIELDS, USER};
use crate::{MAX_TOKEN_BYTES, MAX_USER_BYTES};

/// The most steps an evaluation may take at worst, of some 50 ns each.
pub(super) const MAX_STEPS: u64 = 1_000_000;

/// How many elements the claims' lists and maps may have all together for any rule. A rule that
/// is too costly for so few is refused.
const MIN_ELEMENTS: u64 = 64;

/// No token has more: an element takes two bytes at least.
const MAX_ELEMENTS: u64 = MAX_TOKEN_BYTES as u64 / 4 * 3 / 2;

/// The largest value an evaluation may make at worst, in bytes.
const MAX_SIZE: u64 = 256 * 1024;

/// Steps that matching with a regular expression is counted as. What it really takes is counted
/// while it runs, since it follows from the text.
const PATTERN_STEPS: u64 = 1_000;

/// Elements that are copied to be given to a function, which are counted as one step.
const COPIES_A_STEP: u64 = 2;

/// Comparisons of two values inside an operator or a function that are counted as one step.
const COMPARISONS_A_STEP: u64 = 16;

/// What is known around an expression.
struct Scope {
    /// The variables of the loops around it.
    variables: Vec<(String, Cost)>,
    /// How many elements the lists and maps of the claims have at most, all together.
    elements: u64,
}

/// Refuses an expression that names what there is not or that could cost too much, and says for
/// how many elements in the claims' lists and maps, all together, it is known to cost little
/// enough.
pub(super) fn affordable(expression: &IdedExpr) -> Result<u64, RuleError> {
    check(expression, MIN_ELEMENTS)?;
    let (mut fits, mut too_many) = (MIN_ELEMENTS, MAX_ELEMENTS + 1);
    while too_many - fits > 1 {
        let middle = u64::midpoint(fits, too_many);
        match check(expression, middle) {
            Ok(()) => fits = middle,
            Err(_) => too_many = middle,
        }
    }
    Ok(fits)
}

fn check(expression: &IdedExpr, elements: u64) -> Result<(), RuleError> {
    let cost = measure(
        expression,
        &mut Scope {
            variables: Vec::new(),
            elements,
        },
    )?;
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
    if let Some((_, cost)) = scope
        .variables
        .iter()
        .rev()
        .find(|(known, _)| known == name)
    {
        return Ok(*cost);
    }
    if name == CLAIMS || name.starts_with(CLAIM) {
        return Ok(Cost::of_claims(scope.elements));
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
    match (call.func_name.as_str(), inputs.as_slice()) {
        (operators::CONDITIONAL, [condition, yes, no]) => {
            Ok(yes.either(*no).with_steps(condition.steps))
        }
        (operators::ADD, [left, right]) => Ok(left.with(*right).with_steps(all.size / 64)),
        (operators::INDEX, [map, _]) => Ok(map.element().with_steps(all.steps)),
        _ => functions::growth(call)
            .map(|growth| measure_function(call, growth, &inputs, all))
            .ok_or_else(|| RuleError::Function(functions::full_name(call))),
    }
}

fn measure_function(call: &CallExpr, growth: Growth, inputs: &[Cost], all: Cost) -> Cost {
    // What an operator or a function does with values that are large.
    let touched = all.nested.saturating_add(all.size / 64);
    let a_step = if functions::is_operator(call) {
        COMPARISONS_A_STEP
    } else {
        COPIES_A_STEP
    };
    let product = |of: fn(&Cost) -> u64| inputs.iter().map(of).fold(1, u64::saturating_mul);
    let (more, value) = match growth {
        Growth::Scalar => (0, Cost::plain(1)),
        Growth::Pairs => (
            product(|list| list.nested) / COMPARISONS_A_STEP,
            Cost::plain(1),
        ),
        Growth::Text => (0, Cost::plain(all.size * 2)),
        Growth::Part => (0, all.element()),
        Growth::List => (0, Cost::any(all.size * 2)),
        Growth::Pattern => (PATTERN_STEPS, Cost::any(all.size * 2)),
        Growth::Product => (0, Cost::plain(product(|input| input.size + 1))),
    };
    value
        .with_steps(all.steps)
        .with_steps(touched / a_step)
        .with_steps(more)
}

/// A loop over all elements of the longest list there can be. What one turn costs grows with its
/// element, at least in proportion, so all turns cost no more than as many with nothing in them
/// and one with everything.
fn measure_loop(all: &ComprehensionExpr, scope: &mut Scope) -> Result<Cost, RuleError> {
    let range = measure(&all.iter_range, scope)?;
    let start = measure(&all.accu_init, scope)?;
    let depth = scope.variables.len();
    let mut turn = |element: Cost| -> Result<Cost, RuleError> {
        scope.variables.truncate(depth);
        scope.variables.push((all.iter_var.clone(), element));
        scope
            .variables
            .push((all.accu_var.clone(), Cost { steps: 0, ..start }));
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
    let end = Cost {
        steps: 0,
        size: total(start.size, small.size, large.size),
        count: total(start.count, small.count, large.count),
        nested: total(start.nested, small.nested, large.nested),
    };
    // What the loop makes is copied twice at each turn, half of it on average.
    let copied = end.count.saturating_add(end.nested);
    let turns = range
        .count
        .saturating_mul(small.steps.saturating_add(copied))
        .saturating_add(large.steps);
    scope.variables.truncate(depth);
    scope.variables.push((all.accu_var.clone(), end));
    let result = measure(&all.result, scope);
    scope.variables.truncate(depth);
    Ok(result?.with_steps(
        turns
            .saturating_add(range.steps)
            .saturating_add(start.steps),
    ))
}
