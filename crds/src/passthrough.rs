use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

/// The schema of a type of Kubernetes itself, without its descriptions: they are long, and the
/// field that has the type says where it is known from.
pub(crate) fn plain<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = T::json_schema(generator);
    for value in schema.ensure_object().values_mut() {
        strip_descriptions(value);
    }
    schema.remove("description");
    schema
}

/// Removes every `description` that is a text. A property of that name is a map, and stays.
fn strip_descriptions(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| key != "description" || !value.is_string());
            map.values_mut().for_each(strip_descriptions);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_descriptions),
        _ => {}
    }
}
