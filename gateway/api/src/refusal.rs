//! Why a request is refused.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sluice_backbone::Error;
use sluice_contract::{Code, Reason, RefusalBody};

/// A refusal: a stable code for programs, which has its HTTP status, and a sentence for people
/// that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    code: Code,
    message: Cow<'static, str>,
}

impl Refusal {
    /// A refusal with the status that `code` has over HTTP, 500 where it has none.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence for people, which says what to do next.
    pub fn message(&self) -> &str {
        &self.message
    }

    fn status(&self) -> StatusCode {
        let status = self.code.status().map(StatusCode::from_u16);
        status
            .and_then(Result::ok)
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Whether the same request may be taken a second later.
    fn passes(&self) -> bool {
        matches!(
            self.status(),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        )
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, passes) = (self.status(), self.code, self.passes());
        let body = RefusalBody {
            error: Reason {
                code: code.as_str().into(),
                message: self.message,
            },
        };
        let mut response = (status, Json(body)).into_response();
        // For the counters.
        response.extensions_mut().insert(code);
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
