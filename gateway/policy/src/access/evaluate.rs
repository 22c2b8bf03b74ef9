//! Evaluating a checked expression.

use std::sync::LazyLock;

use cel::common::ast::{Expr, IdedExpr};
use cel::{Context, ExecutionError, Value};
use kube_cel::KubeCelExt;

use super::claims::Wanted;
use super::compile::Compiled;
use super::strict::{CLAIM, CLAIMS, HAS_CLAIM, ROOM_FIELDS, USER};
use super::{AccessError, RoomInput, cost, functions, meter, patterns};
use crate::Identity;

/// All functions, made once. Each evaluation puts its variables into a scope of its own.
static ROOT: LazyLock<Context<'static>> = LazyLock::new(|| {
    let mut context = Context::default().with_all();
    context.add_function(functions::NEGATE, negated);
    patterns::register(&mut context);
    meter::register(&mut context);
    context
});

fn negated(value: Value) -> Result<Value, ExecutionError> {
    match value {
        Value::Int(number) => number
            .checked_neg()
            .map(Value::Int)
            .ok_or(ExecutionError::Overflow("negate", value, Value::Null)),
        Value::Float(number) => Ok(Value::Float(-number)),
        other => Err(ExecutionError::UnsupportedUnaryOperator("negate", other)),
    }
}

/// An expression that was checked, and what it needs.
#[derive(Debug)]
pub(super) struct Expression {
    root: IdedExpr,
    patterns: Box<[(String, Value)]>,
    claims: Wanted,
    /// How many elements the claims' lists and maps may have.
    most_elements: u64,
    /// Claims that it only asks about.
    asked: Vec<String>,
    has_user: bool,
    room: [bool; 3],
}

/// Evaluates an expression that has no variables.
#[cfg(test)]
pub(super) fn constant(expression: &IdedExpr) -> Result<Value, ExecutionError> {
    Value::resolve(expression, &ROOT)
}

impl Expression {
    pub(super) fn new(compiled: Compiled) -> Self {
        let mut needs = Self {
            root: IdedExpr::default(),
            patterns: compiled.patterns.into(),
            claims: Wanted::default(),
            most_elements: compiled.elements,
            asked: Vec::new(),
            has_user: false,
            room: [false; 3],
        };
        needs.note(&compiled.expression);
        Self {
            root: compiled.expression,
            ..needs
        }
    }

    fn note(&mut self, expression: &IdedExpr) {
        if let Expr::Ident(name) = &expression.expr {
            if let Some(claim) = name.strip_prefix(CLAIM) {
                self.claims.named.insert(claim.to_owned());
            } else if let Some(claim) = name.strip_prefix(HAS_CLAIM) {
                self.claims.named.insert(claim.to_owned());
                self.asked.push(claim.to_owned());
            }
            self.claims.whole |= name == CLAIMS;
            self.has_user |= name == USER;
            for (needed, field) in self.room.iter_mut().zip(ROOM_FIELDS) {
                *needed |= name == field;
            }
        }
        for part in functions::parts(expression) {
            self.note(part);
        }
    }

    /// Whether the expression is true; anything but true and false is a fault.
    pub(super) fn evaluate(
        &self,
        identity: &Identity,
        room: RoomInput<'_>,
    ) -> Result<bool, AccessError> {
        let mut context = ROOT.new_inner_scope();
        self.add_claims(&mut context, identity)?;
        if self.has_user {
            context.add_variable_from_value(USER, identity.user().to_string());
        }
        let fields = [room.name, room.namespace, room.suffix];
        for ((name, needed), value) in ROOM_FIELDS.into_iter().zip(self.room).zip(fields) {
            if needed {
                context.add_variable_from_value(name, value.to_owned());
            }
        }
        for (name, pattern) in &self.patterns {
            context.add_variable_from_value(name.as_str(), pattern.clone());
        }
        match meter::within(cost::MAX_STEPS, || Value::resolve(&self.root, &context)) {
            Some(Ok(Value::Bool(allowed))) => Ok(allowed),
            Some(Ok(_)) => Err(failed("it is neither true nor false")),
            Some(Err(error)) => Err(described(&error)),
            None => Err(failed(
                "it takes more than a million steps with this token; match shorter texts, or with smaller regular expressions",
            )),
        }
    }

    fn add_claims(
        &self,
        context: &mut Context<'_>,
        identity: &Identity,
    ) -> Result<(), AccessError> {
        if self.claims.is_nothing() {
            return Ok(());
        }
        let found = self
            .claims
            .read(identity.claims())
            .map_err(|_| failed("the token's claims are no JSON object"))?;
        if found.count > self.most_elements {
            return Err(AccessError::Failed(format!(
                "the token's claims have {} elements, and this rule could take too long for more than {}",
                found.count, self.most_elements
            )));
        }
        for name in &self.asked {
            let is_there = found.named.iter().any(|(known, _)| known == name);
            context.add_variable_from_value(format!("{HAS_CLAIM}{name}"), is_there);
        }
        for (name, value) in found.named {
            context.add_variable_from_value(format!("{CLAIM}{name}"), value);
        }
        if let Some(claims) = found.whole {
            context.add_variable_from_value(CLAIMS, claims);
        }
        Ok(())
    }
}

fn failed(text: &str) -> AccessError {
    AccessError::Failed(text.to_owned())
}

/// Says what went wrong without showing a value of the token.
fn described(error: &ExecutionError) -> AccessError {
    AccessError::Failed(match error {
        ExecutionError::UndeclaredReference(name) => match name.strip_prefix(CLAIM) {
            Some(claim) => {
                format!("the token has no claim `{claim}`; ask has(claims.{claim}) first")
            }
            None => format!("there is no `{name}`"),
        },
        ExecutionError::NoSuchKey(_) => {
            "a field that it reads is not there; ask has(…) first".to_owned()
        }
        ExecutionError::InvalidArgumentCount { expected, actual } => {
            format!("a function that takes {expected} arguments got {actual}")
        }
        ExecutionError::IndexOutOfBounds(_) => "a list is shorter than it expects".to_owned(),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "it divides by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number grows beyond its range".to_owned(),
        ExecutionError::FunctionError { function, .. } => format!("`{function}` failed"),
        _ => "an operator or a function got a value of a type that it does not take".to_owned(),
    })
}
