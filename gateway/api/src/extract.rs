//! Requests as values, or refusals that say what is wrong with them.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{self, FromRequest, FromRequestParts, Request},
    http::{StatusCode, request::Parts},
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use sluice_contract::Code;
use sluice_rooms::{NameError, check_name};

use crate::Refusal;

/// A room's, user's or event's name, or another text under the same bound: 1 to 256 bytes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline)]
pub(crate) struct Name(#[schemars(length(min = 1, max = 256))] pub(crate) Arc<str>);

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        check_name(&name)?;
        Ok(Self(name.into()))
    }
}

/// The names in a path, percent-decoded.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = extract::Path::from_request_parts(parts, state).await;
        path.map(|extract::Path(path)| Self(path)).map_err(|error| {
            Refusal::new(
                Code::PathInvalid,
                format!("the path is not valid: {}", error.body_text()),
            )
        })
    }
}

/// The parameters after the path.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = extract::Query::try_from_uri(&parts.uri);
        query
            .map(|extract::Query(query)| Self(query))
            .map_err(|error| {
                let message = format!("the query is not valid: {}", error.body_text());
                Refusal::new(Code::QueryInvalid, message)
            })
    }
}

/// A JSON body, whatever its content type says.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body = read(request, state).await?;
        parse(&body).map(Self)
    }
}

/// A JSON body that may be left out.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body = read(request, state).await?;
        if body.is_empty() {
            Ok(Self(T::default()))
        } else {
            parse(&body).map(Self)
        }
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Refusal> {
    Bytes::from_request(request, state)
        .await
        .map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(
                Code::PayloadTooLarge,
                "the body is larger than the server API takes; send less at once",
            ),
            _ => Refusal::new(Code::BodyIncomplete, "the body broke off; send it whole"),
        })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            let message = format!("the body is not what this operation takes: {error}");
            return Refusal::new(Code::BodyInvalid, message);
        }
        Refusal::new(Code::JsonInvalid, format!("the body is not JSON: {error}"))
    })
}
