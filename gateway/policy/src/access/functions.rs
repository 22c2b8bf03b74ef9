//! The functions that a rule may call, and what they can cost.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, operators};

/// How large a function's result can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    /// A number or a yes or no.
    Scalar,
    /// A yes or no about every pair of elements.
    Pairs,
    /// A text or the like, no more than twice as large as all that goes in.
    Text,
    /// A part of what goes in.
    Part,
    /// A list or a map, no more than twice as large as all that goes in.
    List,
    /// A text, up to the product of all that goes in.
    Product,
    /// A text or a list of them, no more than twice as large as what goes in; the second argument
    /// is a regular expression.
    Pattern,
}

use Growth::{List, Pairs, Part, Pattern, Product, Scalar, Text};

/// By name; those with a dot are called by their whole name, the others as functions or methods.
pub(super) const FUNCTIONS: &[(&str, Growth)] = &[
    ("size", Scalar),
    ("contains", Scalar),
    ("startsWith", Scalar),
    ("endsWith", Scalar),
    ("matches", Pattern),
    ("find", Pattern),
    ("findAll", Pattern),
    ("int", Scalar),
    ("uint", Scalar),
    ("double", Scalar),
    ("string", Text),
    ("bytes", Text),
    ("max", Part),
    ("min", Part),
    ("charAt", Text),
    ("indexOf", Scalar),
    ("lastIndexOf", Scalar),
    ("lowerAscii", Text),
    ("upperAscii", Text),
    ("replace", Product),
    ("split", List),
    ("substring", Text),
    ("trim", Text),
    ("join", Product),
    ("reverse", Part),
    ("isSorted", Scalar),
    ("first", Part),
    ("last", Part),
    ("slice", Part),
    ("sort", Part),
    ("flatten", Part),
    ("sets.contains", Pairs),
    ("sets.equivalent", Pairs),
    ("sets.intersects", Pairs),
    ("math.abs", Scalar),
    ("math.ceil", Scalar),
    ("math.floor", Scalar),
    ("math.greatest", Part),
    ("math.least", Part),
    ("math.round", Scalar),
    ("math.sign", Scalar),
    ("math.trunc", Scalar),
    ("base64.decode", Text),
    ("base64.encode", Text),
    ("url", Text),
    ("isURL", Scalar),
    ("getScheme", Text),
    ("getHost", Text),
    ("getHostname", Text),
    ("getPort", Text),
    ("getEscapedPath", Text),
    ("getQuery", List),
    ("ip", Text),
    ("isIP", Scalar),
    ("ip.isCanonical", Scalar),
    ("family", Scalar),
    ("isUnspecified", Scalar),
    ("isLoopback", Scalar),
    ("isLinkLocalMulticast", Scalar),
    ("isLinkLocalUnicast", Scalar),
    ("isGlobalUnicast", Scalar),
    ("cidr", Text),
    ("isCIDR", Scalar),
    ("containsIP", Scalar),
    ("containsCIDR", Scalar),
    ("masked", Text),
    ("prefixLength", Scalar),
    ("semver", Text),
    ("isSemver", Scalar),
    ("major", Scalar),
    ("minor", Scalar),
    ("patch", Scalar),
    ("compareTo", Scalar),
    ("isLessThan", Scalar),
    ("isGreaterThan", Scalar),
    ("quantity", Text),
    ("isQuantity", Scalar),
    ("isInteger", Scalar),
    ("asInteger", Scalar),
    ("asApproximateFloat", Scalar),
];

/// What a minus sign becomes, since the library's own fails on the smallest number there is.
pub(super) const NEGATE: &str = "@negate";

const OPERATORS: [(&str, Growth); 16] = [
    (operators::LOGICAL_AND, Scalar),
    (operators::LOGICAL_OR, Scalar),
    (operators::LOGICAL_NOT, Scalar),
    (operators::NOT_STRICTLY_FALSE, Scalar),
    (operators::SUBSTRACT, Scalar),
    (operators::MULTIPLY, Scalar),
    (operators::DIVIDE, Scalar),
    (operators::MODULO, Scalar),
    (NEGATE, Scalar),
    (operators::EQUALS, Scalar),
    (operators::NOT_EQUALS, Scalar),
    (operators::GREATER, Scalar),
    (operators::GREATER_EQUALS, Scalar),
    (operators::LESS, Scalar),
    (operators::LESS_EQUALS, Scalar),
    (operators::IN, Scalar),
];

/// Whether a call is that of an operator.
pub(super) fn is_operator(call: &CallExpr) -> bool {
    call.target.is_none() && OPERATORS.iter().any(|(name, _)| *name == call.func_name)
}

/// How large the result of a call can be; `None` when there is no such function.
pub(super) fn growth(call: &CallExpr) -> Option<Growth> {
    if call.target.is_none()
        && let Some((_, growth)) = OPERATORS.iter().find(|(name, _)| *name == call.func_name)
    {
        return Some(*growth);
    }
    let name = full_name(call);
    FUNCTIONS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, growth)| *growth)
}

/// The name that a call's function is known by.
pub(super) fn full_name(call: &CallExpr) -> String {
    match call.target.as_deref().map(|target| &target.expr) {
        Some(Expr::Ident(prefix)) if PREFIXES.contains(&prefix.as_str()) => {
            format!("{prefix}.{}", call.func_name)
        }
        _ => call.func_name.clone(),
    }
}

const PREFIXES: [&str; 4] = ["sets", "math", "base64", "ip"];

/// Whether this is the first half of a function's name.
pub(super) fn is_prefix(target: &IdedExpr) -> bool {
    matches!(&target.expr, Expr::Ident(name) if PREFIXES.contains(&name.as_str()))
}

/// The expressions that an expression is made of.
pub(super) fn parts(expression: &IdedExpr) -> Vec<&IdedExpr> {
    match &expression.expr {
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&*select.operand],
        Expr::Map(map) => map
            .entries
            .iter()
            .flat_map(|entry| entry_parts(&entry.expr))
            .collect(),
        Expr::Comprehension(all) => {
            vec![
                &all.iter_range,
                &all.accu_init,
                &all.loop_cond,
                &all.loop_step,
                &all.result,
            ]
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => Vec::new(),
    }
}

/// As [`parts`], to be changed.
pub(super) fn parts_mut(expression: &mut IdedExpr) -> Vec<&mut IdedExpr> {
    match &mut expression.expr {
        Expr::Call(call) => call
            .target
            .as_deref_mut()
            .into_iter()
            .chain(&mut call.args)
            .collect(),
        Expr::List(list) => list.elements.iter_mut().collect(),
        Expr::Select(select) => vec![&mut *select.operand],
        Expr::Map(map) => map
            .entries
            .iter_mut()
            .flat_map(|entry| match &mut entry.expr {
                EntryExpr::MapEntry(entry) => vec![&mut entry.key, &mut entry.value],
                EntryExpr::StructField(field) => vec![&mut field.value],
            })
            .collect(),
        Expr::Comprehension(all) => {
            vec![
                &mut all.iter_range,
                &mut all.accu_init,
                &mut all.loop_cond,
                &mut all.loop_step,
                &mut all.result,
            ]
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => Vec::new(),
    }
}

fn entry_parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
        EntryExpr::StructField(field) => vec![&field.value],
    }
}
