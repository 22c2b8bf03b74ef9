//! One operation: where it is, what it takes and gives, and what does it.

use axum::{http::Method, routing::MethodRouter};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::Api;

/// Makes the schema of a type.
pub(crate) type Describe = fn(&mut SchemaGenerator) -> Schema;

/// An operation. The router and the OpenAPI description are made of the same list of these.
pub(crate) struct Route {
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) query: Option<Describe>,
    pub(crate) body: Option<(Describe, Required)>,
    pub(crate) answer: Option<Describe>,
    pub(crate) idempotent_by_key: bool,
    /// Whether the operator's own key is good for it.
    pub(crate) for_operator: bool,
    /// Whether it is about the one gateway that is asked.
    pub(crate) of_one_gateway: bool,
    pub(crate) handler: MethodRouter<Api>,
}

/// Whether a body must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Required {
    Yes,
    No,
}

impl Route {
    pub(crate) fn new(
        id: &'static str,
        method: Method,
        path: &'static str,
        handler: MethodRouter<Api>,
        summary: &'static str,
    ) -> Self {
        Self {
            id,
            method,
            path,
            summary,
            query: None,
            body: None,
            answer: None,
            idempotent_by_key: false,
            for_operator: false,
            of_one_gateway: false,
            handler,
        }
    }

    pub(crate) fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        self
    }

    pub(crate) fn body<T: JsonSchema>(mut self, required: Required) -> Self {
        self.body = Some((SchemaGenerator::subschema_for::<T>, required));
        self
    }

    pub(crate) fn answer<T: JsonSchema>(mut self) -> Self {
        self.answer = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    pub(crate) fn idempotent_by_key(mut self) -> Self {
        self.idempotent_by_key = true;
        self
    }

    pub(crate) fn for_operator(mut self) -> Self {
        self.for_operator = true;
        self
    }

    pub(crate) fn of_one_gateway(mut self) -> Self {
        self.of_one_gateway = true;
        self
    }
}
