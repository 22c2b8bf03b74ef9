//! Makes an expression say what the language says, and names what it needs.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators};

use super::RuleError;

/// The variables that hold the whole claims, one claim, and whether there is a claim.
pub(super) const CLAIMS: &str = "claims";
pub(super) const CLAIM: &str = "claims.";
pub(super) const HAS_CLAIM: &str = "claims?";
pub(super) const USER: &str = "user";
pub(super) const ROOM_FIELDS: [&str; 3] = ["room.name", "room.namespace", "room.suffix"];

/// Rewrites an expression so that
/// - a field is read as an index is, which fails on what has no fields;
/// - each claim and each part of `room` that is read is a variable of its own, so that only
///   these are made when the expression is evaluated.
pub(super) fn rewritten(mut expression: IdedExpr) -> Result<IdedExpr, RuleError> {
    rewrite(&mut expression)?;
    Ok(expression)
}

fn rewrite(expression: &mut IdedExpr) -> Result<(), RuleError> {
    let taken = std::mem::take(&mut expression.expr);
    expression.expr = match taken {
        Expr::Select(select) => return rewrite_select(expression, select),
        Expr::Call(call) => return rewrite_call(expression, call),
        Expr::Ident(name) if name == "room" => return Err(RuleError::RoomField("room".to_owned())),
        Expr::Struct(made) => {
            return Err(RuleError::Unsupported(format!("`{}{{…}}`", made.type_name)));
        }
        Expr::Unspecified => return Err(RuleError::Unsupported("an empty expression".to_owned())),
        Expr::List(mut list) => {
            list.elements.iter_mut().try_for_each(rewrite)?;
            Expr::List(list)
        }
        Expr::Map(mut map) => {
            for entry in &mut map.entries {
                let EntryExpr::MapEntry(entry) = &mut entry.expr else {
                    return Err(RuleError::Unsupported("a field in a map".to_owned()));
                };
                rewrite(&mut entry.key)?;
                rewrite(&mut entry.value)?;
            }
            Expr::Map(map)
        }
        Expr::Comprehension(mut all) => {
            for part in [
                &mut all.iter_range,
                &mut all.accu_init,
                &mut all.loop_cond,
                &mut all.loop_step,
                &mut all.result,
            ] {
                rewrite(part)?;
            }
            if [CLAIMS, USER, "room"].contains(&all.iter_var.as_str()) || all.iter_var2.is_some() {
                return Err(RuleError::Shadowed(all.iter_var));
            }
            Expr::Comprehension(all)
        }
        plain @ (Expr::Ident(_) | Expr::Literal(_)) => plain,
    };
    Ok(())
}

/// `a.b` and `has(a.b)`.
fn rewrite_select(place: &mut IdedExpr, select: SelectExpr) -> Result<(), RuleError> {
    let SelectExpr {
        mut operand,
        field,
        test,
    } = select;
    place.expr = match &operand.expr {
        Expr::Ident(name) if name == "room" => room_field(&field, test)?,
        Expr::Ident(name) if name == CLAIMS => claim(&field, test),
        _ => {
            rewrite(&mut operand)?;
            let field = IdedExpr {
                id: place.id,
                expr: literal(&field),
            };
            let (func_name, args) = if test {
                (operators::IN, vec![field, *operand])
            } else {
                (operators::INDEX, vec![*operand, field])
            };
            call(func_name, args)
        }
    };
    Ok(())
}

/// A call, where `claims['b']` and `'b' in claims` are the claim `b` and its being there.
fn rewrite_call(place: &mut IdedExpr, mut made: CallExpr) -> Result<(), RuleError> {
    if let [first, second] = made.args.as_slice() {
        let (map, key, test) = match made.func_name.as_str() {
            operators::INDEX => (first, second, false),
            operators::IN => (second, first, true),
            _ => (place as &_, place as &_, false),
        };
        if let (Expr::Ident(name), Expr::Literal(LiteralValue::String(key))) =
            (&map.expr, &key.expr)
        {
            match name.as_str() {
                CLAIMS => {
                    place.expr = claim(key.inner(), test);
                    return Ok(());
                }
                "room" => {
                    place.expr = room_field(key.inner(), test)?;
                    return Ok(());
                }
                _ => {}
            }
        }
    }
    // The target of `math.abs(x)` is the first half of the function's name.
    if let Some(target) = made
        .target
        .as_mut()
        .filter(|t| !super::functions::is_prefix(t))
    {
        rewrite(target)?;
    }
    made.args.iter_mut().try_for_each(rewrite)?;
    if made.func_name == operators::NEGATE {
        super::functions::NEGATE.clone_into(&mut made.func_name);
    }
    place.expr = Expr::Call(made);
    Ok(())
}

fn claim(name: &str, test: bool) -> Expr {
    Expr::Ident(format!("{}{name}", if test { HAS_CLAIM } else { CLAIM }))
}

fn room_field(name: &str, test: bool) -> Result<Expr, RuleError> {
    let full = format!("room.{name}");
    if test || !ROOM_FIELDS.contains(&full.as_str()) {
        return Err(RuleError::RoomField(full));
    }
    Ok(Expr::Ident(full))
}

fn literal(text: &str) -> Expr {
    Expr::Literal(LiteralValue::String(text.into()))
}

fn call(func_name: &str, args: Vec<IdedExpr>) -> Expr {
    Expr::Call(CallExpr {
        func_name: func_name.to_owned(),
        target: None,
        args,
    })
}
