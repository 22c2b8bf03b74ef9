//! Why a request is refused.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use sluice_backbone::Error;

/// A refusal: its HTTP status, a stable code for programs, and a sentence for people that says
/// what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
}

/// How a refusal looks to the caller.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(crate) struct Envelope {
    error: Inner,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Inner {
    /// What went wrong, for programs. A code never changes its meaning.
    code: &'static str,
    /// What went wrong and what to do, for people.
    message: Cow<'static, str>,
}

/// The code of a refusal, left on its response for the counters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code(pub(crate) &'static str);

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(crate) fn bad_request(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 422: the data is not what a schema of the room asks for. `code` and `message` say which.
    pub fn schema(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// 507: no more revocations can be kept.
    pub fn revocations_full(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "revocations_full",
            message,
        )
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the same request may be taken a second later.
    fn passes(&self) -> bool {
        matches!(
            self.status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        )
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error {
            Error::Gone => StatusCode::GONE,
            Error::NoHistory | Error::RoomFull | Error::UserConnections => StatusCode::CONFLICT,
            Error::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Error::RoomRate => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, passes) = (self.status, self.code, self.passes());
        let body = Envelope {
            error: Inner {
                code,
                message: self.message,
            },
        };
        let mut response = (status, Json(body)).into_response();
        response.extensions_mut().insert(Code(code));
        if passes {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}
