use kube::core::cel::{CompiledSchema, ErrorKind, Validator};
use serde_json::Value;

use super::problem::ProblemCode;
use super::schema::Finding;
use crate::cluster::Limits;

/// The CEL rules that a value with its defaults breaks, but for the one that is younger than the
/// documents which may break it: whoever loads them asks [`Limits::undeliverable`].
///
/// A rule that cannot be evaluated is left out when the schema has found something: the rule met
/// the value that the schema refused. The same goes for a rule about a refused value.
pub(super) fn check(schema: &CompiledSchema, value: &Value, refused: &[Finding]) -> Vec<Finding> {
    let Err(broken) = Validator::new().validate_compiled(schema, value, None) else {
        return Vec::new();
    };
    broken
        .into_iter()
        .filter(|rule| rule.message != Limits::UNDELIVERABLE)
        .filter(|rule| refused.is_empty() || rule.kind == ErrorKind::ValidationFailure)
        .filter(|rule| {
            refused
                .iter()
                .all(|finding| finding.path != rule.field_path)
        })
        .map(|rule| Finding {
            path: rule.field_path,
            code: ProblemCode::CannotWork,
            message: rule.message,
        })
        .collect()
}
