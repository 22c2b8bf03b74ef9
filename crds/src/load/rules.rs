use kube::core::cel::{CompiledSchema, ErrorKind, Validator};
use serde_json::Value;

use super::problem::ProblemCode;
use super::schema::Finding;

/// The CEL rules that a value with its defaults breaks.
///
/// A rule that cannot be evaluated is left out when the schema has found something: the rule met
/// the value that the schema refused. The same goes for a rule about a refused value.
pub(super) fn check(schema: &CompiledSchema, value: &Value, refused: &[Finding]) -> Vec<Finding> {
    let Err(broken) = Validator::new().validate_compiled(schema, value, None) else {
        return Vec::new();
    };
    broken
        .into_iter()
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
