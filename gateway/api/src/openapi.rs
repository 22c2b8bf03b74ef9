//! The OpenAPI description, made of the same routes and types that the router is made of.

use std::{collections::BTreeMap, sync::OnceLock};

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use sluice_contract::RefusalBody;

use crate::{
    extract::Name,
    route::{Required, Route},
    routes::routes,
};

const INTRODUCTION: &str = "What backends and the operator ask of a gateway. Names in paths are percent-encoded UTF-8 of 1 to 256 bytes.";

/// The OpenAPI 3.1 description of all operations, as JSON that ends in a line break. The copy in
/// `docs/openapi.json` is the same text.
pub fn openapi() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| format!("{:#}\n", describe()))
}

fn describe() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for route in routes() {
        let at = paths.entry(route.path).or_insert_with(|| json!({}));
        at[route.method.as_str().to_ascii_lowercase()] = operation(&mut generator, &route);
    }
    let error = content(&generator.subschema_for::<RefusalBody>().to_value());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sluice server API",
            "version": "1",
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://localhost:3001"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "responses": {"Refused": {"description": "Refused; the code says why.", "content": error}},
            "schemas": generator.take_definitions(true),
        },
    })
}

fn operation(generator: &mut SchemaGenerator, route: &Route) -> Value {
    let answer = route.answer.map(|describe| describe(generator).to_value());
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "parameters": parameters(generator, route),
        "responses": {
            "200": {"description": "Done.", "content": content(&answer.unwrap_or_default())},
            "default": {"$ref": "#/components/responses/Refused"},
        },
    });
    if let Some((describe, required)) = route.body {
        operation["requestBody"] = json!({
            "required": required == Required::Yes,
            "content": content(&describe(generator).to_value()),
        });
    }
    operation
}

fn content(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

fn parameters(generator: &mut SchemaGenerator, route: &Route) -> Vec<Value> {
    let name = generator.subschema_for::<Name>().to_value();
    let mut parameters: Vec<Value> = in_path(route.path)
        .map(|part| json!({"name": part, "in": "path", "required": true, "schema": name}))
        .collect();
    if let Some(describe) = route.query {
        let schema = describe(generator).to_value();
        let properties: BTreeMap<_, _> = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .collect();
        parameters.extend(properties.into_iter().map(query_parameter));
    }
    if route.idempotent_by_key {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same as id in the body.",
            "schema": name,
        }));
    }
    parameters
}

pub(crate) fn in_path(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn query_parameter((name, schema): (&String, &Value)) -> Value {
    let mut schema = schema.clone();
    let description = schema
        .as_object_mut()
        .and_then(|schema| schema.remove("description"));
    json!({"name": name, "in": "query", "description": description, "schema": schema})
}
