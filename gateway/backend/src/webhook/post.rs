//! One try.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, Response, StatusCode, header};
use sluice_spans::Headers;
use sluice_util::unix_seconds;
use tokio::time::timeout;

use super::{
    Config,
    signature::{DELIVERY, SIGNATURE, sign},
};
use crate::{BackendError, answer::own_error};

/// What all tries of one request have in common.
#[derive(Debug)]
pub(super) struct Delivery {
    /// The request's name, by which the backend knows it again when it is repeated.
    pub(super) name: String,
    /// The trace that it belongs to, if any.
    pub(super) trace: Headers,
}

impl Delivery {
    pub(super) fn new(trace: Headers) -> Self {
        let name = format!("{:032x}", rand::random::<u128>());
        Self { name, trace }
    }
}

/// Why a try came to nothing, and how long the backend asked to wait before the next.
pub(super) struct Failure {
    pub(super) error: BackendError,
    pub(super) wait: Option<Duration>,
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self { error, wait: None }
    }
}

/// Posts a body, signed as of now, and returns the body of an answer that says yes.
pub(super) async fn post(
    client: &Client,
    config: &Config,
    delivery: &Delivery,
    body: &Bytes,
    within: Duration,
) -> Result<Vec<u8>, Failure> {
    let mut request = client
        .post(config.url.clone())
        .header(header::CONTENT_TYPE, "application/json")
        .header(DELIVERY, &delivery.name)
        .header(SIGNATURE, sign(&config.key, unix_seconds(), body))
        .body(body.clone());
    for (name, value) in &delivery.trace {
        request = request.header(*name, value);
    }
    let whole = async {
        let response = request.send().await.map_err(broken)?;
        read(response, config.answer_bytes).await
    };
    timeout(within, whole)
        .await
        .map_err(|_| BackendError::Timeout)?
}

async fn read(response: Response, limit: usize) -> Result<Vec<u8>, Failure> {
    let (status, wait) = (response.status(), retry_after(&response));
    let error = match status.as_u16() {
        200..300 => return Ok(bounded(response, limit).await?),
        429 => BackendError::Overloaded,
        400..500 => refused(status, response, limit).await,
        500.. => BackendError::Failed(status.as_u16()),
        _ => BackendError::AnswerInvalid(format!(
            "its status is {status}, and redirects are not followed; set the URL that answers itself"
        )),
    };
    Err(Failure { error, wait })
}

async fn refused(status: StatusCode, response: Response, limit: usize) -> BackendError {
    let body = bounded(response, limit).await.unwrap_or_default();
    BackendError::Refused {
        status: Some(status.as_u16()),
        own: own_error(&body),
    }
}

async fn bounded(mut response: Response, limit: usize) -> Result<Vec<u8>, BackendError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > limit {
            return Err(BackendError::AnswerInvalid(format!(
                "it is larger than {limit} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A wait in seconds (RFC 9110 section 10.2.3); one until a date is not read.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

fn broken(error: reqwest::Error) -> BackendError {
    // What is secret of an address is in its login and its query.
    let error = error.without_url();
    tracing::debug!(
        error = &error as &dyn std::error::Error,
        "the backend's connection broke"
    );
    BackendError::Unreachable
}
