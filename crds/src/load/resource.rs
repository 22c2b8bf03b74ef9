//! Reads a document of one of our own kinds.

use std::sync::LazyLock;

use kube::CustomResourceExt;
use kube::core::cel::{CompiledSchema, apply_defaults, compile_schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::problem::ProblemCode;
use super::rules;
use super::schema::{self, Finding};
use crate::definition::{definition, schema_of};
use crate::{RealtimeCluster, Room};

/// What a kind's documents are checked against.
pub(super) struct Resource {
    schema: Value,
    rules: CompiledSchema,
}

/// What a `RealtimeCluster` is checked against.
pub(super) static CLUSTER: LazyLock<Resource> = LazyLock::new(Resource::new::<RealtimeCluster>);

/// What a `Room` is checked against.
pub(super) static ROOM: LazyLock<Resource> = LazyLock::new(Resource::new::<Room>);

impl Resource {
    fn new<K: CustomResourceExt>() -> Self {
        let mut schema = schema_of(&definition::<K>());
        // Every object has these; a definition leaves them to the API server.
        if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            fields.insert("apiVersion".to_owned(), json!({"type": "string"}));
            fields.insert("kind".to_owned(), json!({"type": "string"}));
            let metadata = json!({"x-kubernetes-preserve-unknown-fields": true});
            fields.insert("metadata".to_owned(), metadata);
        }
        let rules = compile_schema(&schema);
        Self { schema, rules }
    }

    /// Checks a document and gives it its defaults.
    pub(super) fn read<K: DeserializeOwned>(
        &self,
        mut document: Map<String, Value>,
    ) -> Result<K, Vec<Finding>> {
        // It is the operator's to write; an API server ignores it in what a user applies.
        document.remove("status");
        let mut value = Value::Object(document);
        schema::drop_nulls(&self.schema, &mut value);
        let mut findings = schema::check(&self.schema, &value, "");
        let value = apply_defaults(&self.schema, &value);
        findings.extend(rules::check(&self.rules, &value, &findings));
        if !findings.is_empty() {
            return Err(findings);
        }
        serde_json::from_value(value).map_err(|error| {
            let code = ProblemCode::InvalidValue;
            vec![Finding {
                path: String::new(),
                code,
                message: error.to_string(),
            }]
        })
    }
}

#[cfg(test)]
mod tests;
