//! Reading the body of a POST.

use std::time::Duration;

use bytes::Bytes;
use http::{header::CONTENT_TYPE, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::refusal::Refusal;

/// How long a client may take to send one body.
const TIMEOUT: Duration = Duration::from_secs(30);

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
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(Refusal::TOO_LARGE),
        _ => Err(Refusal::BAD_REQUEST),
    }
}
