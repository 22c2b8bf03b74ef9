//! Reading the body of a POST.

use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, header::CONTENT_TYPE, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::application::Refusal;

/// How long a client may take to send one body.
const TIMEOUT: Duration = Duration::from_secs(30);

const TOO_LARGE: Refusal = Refusal {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    code: 3,
    message: "The payload is too large",
    retry_after: None,
};

/// The body, which is text in this version of the protocol, binary packets being in base64.
pub(crate) async fn body(head: &Parts, body: Incoming, limit: usize) -> Result<Bytes, Refusal> {
    if head
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|t| t == "application/octet-stream")
    {
        return Err(Refusal::BAD_REQUEST);
    }
    let whole = tokio::time::timeout(TIMEOUT, Limited::new(body, limit).collect());
    match whole.await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(TOO_LARGE),
        _ => Err(Refusal::BAD_REQUEST),
    }
}
