//! Posting by the HTTP client that the gateway has already.

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use reqwest::{Client, redirect};
use tokio::runtime::Handle;

/// How long one request may take.
const WITHIN: Duration = Duration::from_secs(3);
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 10;

/// Posts on a runtime; whoever asks for it may be on any thread.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    runtime: Handle,
}

impl Http {
    pub(crate) fn new(runtime: Handle) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(WITHIN)
            .user_agent(concat!("sluice-gateway/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, runtime })
    }
}

#[async_trait]
impl HttpClient for Http {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let exchange = exchange(self.client.clone(), request);
        let answer = self.runtime.spawn(exchange).await?;
        answer.inspect_err(|error| {
            // The library says no more than that the network failed.
            tracing::debug!(error = &**error as &dyn Error, "spans were not sent");
        })
    }
}

async fn exchange(client: Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    // A URL may have a secret in it, and errors are logged.
    let sent = client.execute(request.try_into()?).await;
    let mut response = sent.map_err(reqwest::Error::without_url)?;
    let mut answer = Response::builder().status(response.status());
    if let Some(headers) = answer.headers_mut() {
        headers.clone_from(response.headers());
    }
    let mut body = Vec::new();
    while let Some(chunk) = next(&mut response).await? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(format!("the answer is larger than {MAX_ANSWER} bytes").into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(answer.body(body.into())?)
}

async fn next(response: &mut reqwest::Response) -> Result<Option<Bytes>, reqwest::Error> {
    let chunk = response.chunk().await;
    chunk.map_err(reqwest::Error::without_url)
}
