//! From a text to an expression that is safe to evaluate.

use std::thread;

use cel::common::ast::IdedExpr;
use cel::parser::Parser;

use super::functions::parts;
use super::{RuleError, cost, patterns, strict};

/// How deep an expression may be nested, so that evaluating it fits on any stack.
const MAX_DEPTH: usize = 100;

/// Up to this length a text cannot be nested so deep that an ordinary stack is too small.
const SHORT_BYTES: usize = 200;

/// Enough for [`MAX_RULE_BYTES`](super::MAX_RULE_BYTES) of nothing but nesting. It is address
/// space, of which only what is touched becomes memory, while the text is compiled.
const DEEP_STACK_BYTES: usize = 256 * 1024 * 1024;

/// Parses and checks a text.
///
/// The parser goes as deep as the text does, and a stack that overflows ends the process, so a
/// long text is parsed on a stack that is large enough for anything that fits into it.
///
/// With the expression comes how many elements the lists and maps of the claims may have, all
/// together, for it to be evaluated.
pub(super) fn compiled(text: &str) -> Result<(IdedExpr, u64), RuleError> {
    if text.len() <= SHORT_BYTES {
        return checked(text);
    }
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(DEEP_STACK_BYTES);
        let compiling = thread.spawn_scoped(scope, || checked(text));
        let result = compiling.ok().and_then(|compiling| compiling.join().ok());
        result.unwrap_or(Err(RuleError::TooDeep))
    })
}

fn checked(text: &str) -> Result<(IdedExpr, u64), RuleError> {
    let parsed = Parser::new()
        .parse(text)
        .map_err(|errors| RuleError::syntax(&errors))?;
    if !fits(&parsed, MAX_DEPTH) {
        return Err(RuleError::TooDeep);
    }
    let expression = strict::rewritten(parsed)?;
    let elements = cost::affordable(&expression)?;
    patterns::check(&expression)?;
    Ok((expression, elements))
}

fn fits(expression: &IdedExpr, depth: usize) -> bool {
    depth > 0
        && parts(expression)
            .into_iter()
            .all(|part| fits(part, depth - 1))
}
