//! The regular expressions in a rule.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};

use super::functions::{Growth, growth, parts};
use super::{RuleError, evaluate};

/// Looks at each regular expression once, so that one that is none is found before it is needed.
pub(super) fn check(expression: &IdedExpr) -> Result<(), RuleError> {
    if let Expr::Call(call) = &expression.expr
        && growth(call) == Some(Growth::Pattern)
    {
        check_call(call)?;
    }
    parts(expression).into_iter().try_for_each(check)
}

fn check_call(call: &CallExpr) -> Result<(), RuleError> {
    let place = usize::from(call.target.is_none());
    let Some(Expr::Literal(LiteralValue::String(pattern))) = call.args.get(place).map(|a| &a.expr)
    else {
        return Err(RuleError::OpenPattern(call.func_name.clone()));
    };
    let text = |text: &str| IdedExpr {
        id: 0,
        expr: Expr::Literal(LiteralValue::String(text.into())),
    };
    let probe = CallExpr {
        func_name: call.func_name.clone(),
        target: Some(Box::new(text(""))),
        args: vec![text(pattern.inner())],
    };
    evaluate::constant(&IdedExpr {
        id: 0,
        expr: Expr::Call(probe),
    })
    .map(drop)
    .map_err(|_| RuleError::Pattern(pattern.inner().to_owned()))
}
