//! From a text to an expression that is safe to evaluate.

use std::thread;

use cel::Value;
use cel::common::ast::{Expr, IdedExpr};
use cel::parser::Parser;

use super::functions::parts;
use super::{RuleError, cost, meter, patterns, strict};
use crate::regular::PatternBudget;

/// How deep an expression may be nested, so that evaluating it fits on any stack.
const MAX_DEPTH: usize = 100;

/// How deep loops may be in one another. What they cost at worst takes twice as long to work out
/// for each.
const MAX_LOOPS: usize = 6;

/// Up to this length a text cannot be nested so deep that an ordinary stack is too small.
const SHORT_BYTES: usize = 200;

/// Enough for [`MAX_RULE_BYTES`](super::MAX_RULE_BYTES) of nothing but nesting. It is address
/// space, of which only what is touched becomes memory, while the text is compiled.
const DEEP_STACK_BYTES: usize = 256 * 1024 * 1024;

/// An expression that is safe to evaluate.
pub(super) struct Compiled {
    pub(super) expression: IdedExpr,
    /// The variables in place of its regular expressions.
    pub(super) patterns: Vec<(String, Value)>,
    /// How many elements the lists and maps of the claims may have, all together, for it to be
    /// evaluated.
    pub(super) elements: u64,
}

/// Parses and checks a text; `left` is what its regular expressions may take.
///
/// The parser goes as deep as the text does, and a stack that overflows ends the process, so a
/// long text is parsed on a stack that is large enough for anything that fits into it.
pub(super) fn compiled(text: &str, left: &mut PatternBudget) -> Result<Compiled, RuleError> {
    if text.len() <= SHORT_BYTES {
        return checked(text, left);
    }
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(DEEP_STACK_BYTES);
        let compiling = thread.spawn_scoped(scope, || checked(text, left));
        let result = compiling.ok().and_then(|compiling| compiling.join().ok());
        result.unwrap_or(Err(RuleError::TooDeep))
    })
}

fn checked(text: &str, left: &mut PatternBudget) -> Result<Compiled, RuleError> {
    let parsed = Parser::new()
        .parse(text)
        .map_err(|errors| RuleError::syntax(&errors))?;
    if !fits(&parsed, MAX_DEPTH) {
        return Err(RuleError::TooDeep);
    }
    if !loops_fit(&parsed, MAX_LOOPS) {
        return Err(RuleError::TooManyLoops);
    }
    let mut expression = strict::rewritten(parsed)?;
    let elements = cost::affordable(&expression)?;
    let patterns = patterns::taken_out(&mut expression, left)?;
    meter::count_turns(&mut expression);
    Ok(Compiled {
        expression,
        patterns,
        elements,
    })
}

fn fits(expression: &IdedExpr, depth: usize) -> bool {
    depth > 0
        && parts(expression)
            .into_iter()
            .all(|part| fits(part, depth - 1))
}

/// Whether no more loops than these are in one another's turns.
fn loops_fit(expression: &IdedExpr, loops: usize) -> bool {
    let Expr::Comprehension(all) = &expression.expr else {
        return parts(expression)
            .into_iter()
            .all(|part| loops_fit(part, loops));
    };
    loops.checked_sub(1).is_some_and(|inside| {
        loops_fit(&all.iter_range, loops)
            && [&all.accu_init, &all.loop_cond, &all.loop_step, &all.result]
                .into_iter()
                .all(|part| loops_fit(part, inside))
    })
}
