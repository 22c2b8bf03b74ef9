//! One bounded HTTP request.

use std::time::Duration;

use reqwest::{Client, Url, redirect};

use super::JwksError;

const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A client for `url` that follows no redirect, so that the address in the document is the one
/// that is trusted.
pub(super) fn client(url: &str, timeout: Duration) -> Result<(Url, Client), JwksError> {
    let setup = |error: String| JwksError::Setup(error);
    let url = Url::parse(url).map_err(|error| setup(format!("{error}; write https://…")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(setup(
            "only http and https can be asked; write https://…".to_owned(),
        ));
    }
    let client = Client::builder()
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .user_agent("sluice-gateway")
        .build()
        .map_err(|error| setup(described(&error)))?;
    Ok((url, client))
}

/// The body at `url`.
pub(super) async fn document(client: &Client, url: &Url) -> Result<Vec<u8>, JwksError> {
    let unreachable =
        |error: reqwest::Error| JwksError::Unreachable(described(&error.without_url()));
    let mut response = client.get(url.clone()).send().await.map_err(unreachable)?;
    if !response.status().is_success() {
        return Err(JwksError::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(JwksError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The error with its causes, which is where the reason is.
fn described(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
