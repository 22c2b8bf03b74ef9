//! The steps that evaluating a rule takes, counted where they cannot be known before.
//!
//! What an expression can cost at worst is worked out when it is compiled, but for two things: how
//! long a text is that is matched with a regular expression, and how often a loop inside a loop
//! goes round. Both are counted while it runs.

use std::cell::Cell;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};
use cel::{Context, ExecutionError};

use super::functions::{parts, parts_mut};

/// What counts a turn of a loop, and passes on whether it goes on.
const TURN: &str = "@turn";

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(0) };
}

/// Runs what may take so many steps; `None` where it has taken more, so that what came of it means
/// nothing.
pub(super) fn within<T>(steps: u64, run: impl FnOnce() -> T) -> Option<T> {
    LEFT.set(steps);
    let result = run();
    (LEFT.get() > 0).then_some(result)
}

/// Takes steps of those that are left.
///
/// # Errors
/// Where there are not as many. The language lets a yes outweigh an error, so whoever runs the rule
/// asks [`within`] as well.
pub(super) fn take(steps: u64) -> Result<(), ExecutionError> {
    let left = LEFT.get().saturating_sub(steps);
    LEFT.set(left);
    if left == 0 {
        return Err(ExecutionError::function_error(TURN, "too many steps"));
    }
    Ok(())
}

/// Has each loop that is inside another one count its turns.
pub(super) fn count_turns(expression: &mut IdedExpr) {
    count(expression, false);
}

fn count(expression: &mut IdedExpr, is_inside: bool) {
    let Expr::Comprehension(all) = &mut expression.expr else {
        for part in parts_mut(expression) {
            count(part, is_inside);
        }
        return;
    };
    count(&mut all.iter_range, is_inside);
    for part in [&mut all.accu_init, &mut all.loop_step, &mut all.result] {
        count(part, true);
    }
    if is_inside {
        let steps = size(&all.loop_step) + size(&all.loop_cond);
        let condition = std::mem::take(&mut all.loop_cond);
        all.loop_cond.id = condition.id;
        all.loop_cond.expr = Expr::Call(CallExpr {
            func_name: TURN.to_owned(),
            target: None,
            args: vec![number(condition.id, steps), condition],
        });
    }
}

fn number(id: u64, number: i64) -> IdedExpr {
    IdedExpr {
        id,
        expr: Expr::Literal(LiteralValue::Int(number.into())),
    }
}

fn size(expression: &IdedExpr) -> i64 {
    parts(expression).into_iter().map(size).sum::<i64>() + 1
}

pub(super) fn register(context: &mut Context<'_>) {
    context.add_function(TURN, turn);
}

fn turn(steps: i64, goes_on: bool) -> Result<bool, ExecutionError> {
    take(steps.unsigned_abs())?;
    Ok(goes_on)
}
