use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

/// The largest number that a schema's integers may have, where nothing smaller is said.
const MAX_U32: u64 = u32::MAX as u64;

/// The `CustomResourceDefinition` of a resource, as it is installed on a cluster.
///
/// It is what kube derives from the type, with what an API server would warn about or treat
/// differently from this crate put right: no `nullable` (a `null` counts as absent), only number
/// formats that Kubernetes knows, and whole numbers written as such.
pub fn definition<K: CustomResourceExt>() -> Value {
    // It consists of maps with text keys, which cannot fail to serialize.
    let mut definition = serde_json::to_value(K::crd()).unwrap_or_default();
    tidy(&mut definition);
    definition
}

/// [`definition`] as a YAML document.
pub fn definition_yaml<K: CustomResourceExt>() -> Result<String, serde_saphyr::SerializeError> {
    serde_saphyr::to_string(&definition::<K>())
}

/// The schema of a definition's only version.
pub(crate) fn schema_of(definition: &Value) -> Value {
    definition
        .pointer("/spec/versions/0/schema/openAPIV3Schema")
        .cloned()
        .unwrap_or_default()
}

fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            tidy_node(map);
            map.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn tidy_node(node: &mut Map<String, Value>) {
    if node.get("nullable") == Some(&json!(true)) {
        node.remove("nullable");
    }
    for bound in ["minimum", "maximum"] {
        if let Some(number) = node.get(bound).and_then(Value::as_f64) {
            node.insert(bound.to_owned(), json!(number as i64));
        }
    }
    let format = node.get("format").and_then(Value::as_str);
    if format.is_some_and(|format| format.starts_with("uint")) {
        node.insert("format".to_owned(), json!("int64"));
        node.entry("maximum").or_insert_with(|| json!(MAX_U32));
    }
}
