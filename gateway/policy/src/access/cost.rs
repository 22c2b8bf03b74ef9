//! What an expression can cost at worst.

mod bound;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators,
};

use super::RuleError;
use super::functions::{self, Growth};
use bound::Cost;

use super::strict::{CLAIM, CLAIMS, HAS_CLAIM, ROOM_FIELDS, USER};
use crate::MAX_USER_BYTES;

/// The most steps an evaluation may take at worst.
const MAX_STEPS: u64 = 1_000_000;

/// The largest value an evaluation may make at worst, in bytes.
const MAX_SIZE: u64 = 256 * 1024;

/// Steps that a regular expression is counted as, which is compiled at each call.
const PATTERN_STEPS: u64 = 1_000;

/// Comparisons of two values inside an operator or a function that are counted as one step.
const COMPARISONS_A_STEP: u64 = 16;

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
