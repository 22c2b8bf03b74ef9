//! The same operations without HTTP: one JSON object holds what the path, the query and the body
//! would.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::SchemaGenerator;
use serde_json::{Value, value::RawValue};
use sluice_contract::Code;
use tower::ServiceExt as _;

use crate::{
    Api, Refusal,
    guard::Trusted,
    openapi::in_path,
    route::{Required, Route},
    router,
    routes::routes,
};

/// The largest answer, in bytes: more than any page of a history that NATS or a client takes.
const MAX_ANSWER: usize = 64 << 20;

/// Calls operations for whoever is let in by other means than a key. Clones are the same.
#[derive(Clone)]
pub struct Caller {
    api: Api,
    router: Router,
    operations: std::sync::Arc<BTreeMap<&'static str, Operation>>,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}

/// Where an operation's arguments belong.
struct Operation {
    method: axum::http::Method,
    path: &'static str,
    query: Vec<String>,
    body: Option<Required>,
    of_one_gateway: bool,
}

/// What an operation answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The HTTP status.
    pub status: u16,
    /// The code of a refusal.
    pub refused: Option<Code>,
    /// The answer, or the refusal as `{"error": …}`, in JSON.
    pub json: Bytes,
}

impl Caller {
    /// Calls operations of `api`.
    pub fn new(api: Api) -> Self {
        let operations = routes().into_iter().map(|route| (route.id, of(&route)));
        Self {
            router: router(api.clone()),
            operations: std::sync::Arc::new(operations.collect()),
            api,
        }
    }

    /// The ids of the operations that any gateway can carry out.
    pub fn operations(&self) -> impl Iterator<Item = &'static str> {
        self.of_one_gateway(false)
    }

    /// The ids of the operations that are about the gateway that is asked.
    pub fn own_operations(&self) -> impl Iterator<Item = &'static str> {
        self.of_one_gateway(true)
    }

    fn of_one_gateway(&self, wanted: bool) -> impl Iterator<Item = &'static str> {
        let all = self.operations.iter();
        let wanted = all.filter(move |(_, operation)| operation.of_one_gateway == wanted);
        wanted.map(|(id, _)| *id)
    }

    /// Carries out an operation. `arguments` is one JSON object with everything that the
    /// operation takes, or nothing; `trace` is what headers say of the trace that it belongs to.
    pub async fn call(&self, operation: &str, arguments: &[u8], trace: HeaderMap) -> Called {
        let request = match self.request(operation, arguments) {
            Ok(mut request) => {
                request.headers_mut().extend(trace);
                request
            }
            Err(refusal) => {
                let (operation, code) = (self.name(operation), refusal.code());
                self.api
                    .metrics()
                    .count(operation, code.as_str(), std::time::Duration::ZERO);
                return called(refusal.into_response()).await;
            }
        };
        match self.router.clone().oneshot(request).await {
            Ok(response) => called(response).await,
            Err(never) => match never {},
        }
    }

    /// What counters call an operation.
    fn name(&self, operation: &str) -> &'static str {
        let known = self.operations.get_key_value(operation);
        known.map_or("unknown", |(id, _)| id)
    }

    fn request(&self, operation: &str, arguments: &[u8]) -> Result<Request<Body>, Refusal> {
        let operation = self.operations.get(operation).ok_or_else(|| {
            let message = "there is no such operation; docs/openapi.json lists all of them";
            Refusal::new(Code::OperationUnknown, message)
        })?;
        let mut arguments = read(arguments)?;
        let uri = operation.uri(&mut arguments)?;
        let body = operation.body(&arguments)?;
        let request = Request::builder().method(operation.method.clone()).uri(uri);
        let mut request = request.body(body).map_err(|_| {
            let message = "a name is far too long; it has 1 to 256 bytes";
            Refusal::new(Code::PathInvalid, message)
        })?;
        request.extensions_mut().insert(Trusted);
        Ok(request)
    }
}

fn of(route: &Route) -> Operation {
    let query = route.query.map(|describe| {
        let schema = describe(&mut SchemaGenerator::default()).to_value();
        let properties = schema["properties"].as_object();
        properties
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect()
    });
    Operation {
        method: route.method.clone(),
        path: route.path,
        query: query.unwrap_or_default(),
        body: route.body.map(|(_, required)| required),
        of_one_gateway: route.of_one_gateway,
    }
}

type Arguments<'a> = BTreeMap<String, &'a RawValue>;

fn read(arguments: &[u8]) -> Result<Arguments<'_>, Refusal> {
    if arguments.is_empty() {
        return Ok(Arguments::new());
    }
    serde_json::from_slice(arguments).map_err(|error| {
        let message = format!("the request is not a JSON object: {error}");
        Refusal::new(Code::JsonInvalid, message)
    })
}

impl Operation {
    /// Takes what belongs into the path and the query out of the arguments.
    fn uri(&self, arguments: &mut Arguments<'_>) -> Result<String, Refusal> {
        let mut uri = self.path.to_owned();
        for name in in_path(self.path) {
            let text = arguments
                .remove(name)
                .and_then(text)
                .filter(|text| !text.is_empty());
            let text = text.ok_or_else(|| {
                let message = format!("{name} is missing, or is not a text of 1 to 256 bytes");
                Refusal::new(Code::PathInvalid, message)
            })?;
            uri = uri.replace(&format!("{{{name}}}"), &encoded(&text));
        }
        let mut between = '?';
        for name in &self.query {
            let Some(given) = arguments.remove(name).filter(|given| given.get() != "null") else {
                continue;
            };
            let text = text(given).ok_or_else(|| {
                let message = format!("{name} is neither a text nor a number");
                Refusal::new(Code::QueryInvalid, message)
            })?;
            uri.push(between);
            uri.push_str(name);
            uri.push('=');
            uri.push_str(&encoded(&text));
            between = '&';
        }
        Ok(uri)
    }

    /// What is left is the body.
    fn body(&self, arguments: &Arguments<'_>) -> Result<Body, Refusal> {
        match (self.body, arguments.keys().next()) {
            (None, Some(name)) => {
                let message = format!("the operation takes no {name}; leave it out");
                Err(Refusal::new(Code::BodyInvalid, message))
            }
            (None | Some(Required::No), None) => Ok(Body::empty()),
            // Texts and raw JSON can always be written.
            _ => Ok(serde_json::to_vec(arguments).unwrap_or_default().into()),
        }
    }
}

/// A text, a number or a truth value as it would be in a path.
fn text(value: &RawValue) -> Option<String> {
    match serde_json::from_str(value.get()).ok()? {
        Value::String(text) => Some(text),
        Value::Number(_) | Value::Bool(_) => Some(value.get().to_owned()),
        _ => None,
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

async fn called(response: Response) -> Called {
    let status = response.status().as_u16();
    let refused = response.extensions().get().copied();
    let json = to_bytes(response.into_body(), MAX_ANSWER).await;
    Called {
        status,
        refused,
        json: json.unwrap_or_default(),
    }
}
