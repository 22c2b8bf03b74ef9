//! One HTTP client for all gateways.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use sluice_contract::{
    DrainProgress, DrainRequest, FleetStatus, GatewayStatus, RefusalBody, RoomCounts,
};
use tokio::sync::Semaphore;

use super::GatewayError;
use crate::fleet::DrainCommand;

/// The port of the server API.
const PORT: u16 = 3001;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(3);

/// How many gateways are asked at once.
const AT_ONCE: usize = 32;

/// The longest answer that is read: `/v1/fleet` of a thousand gateways and
/// more, `/v1/rooms` of some ten thousand Rooms.
const MOST_BYTES: usize = 4 << 20;

/// Asks gateways by their server API, with the operator's key. Clones share everything.
///
/// Every call ends within four seconds, and 32 are under way at most; others wait for their turn.
/// No proxy is used, whatever the environment says: gateways are pods.
#[derive(Debug, Clone)]
pub struct GatewayClient {
    client: Client,
    key: Arc<str>,
    port: u16,
    turns: Arc<Semaphore>,
}

impl GatewayClient {
    /// A client that shows `key` to all gateways.
    ///
    /// # Errors
    /// Where no TLS or resolver can be set up for the client.
    pub fn new(key: &str) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            key: key.trim().into(),
            port: PORT,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    /// The same, for gateways whose server API is at another port.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Whether it is a clone of the other one.
    #[cfg(test)]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.turns, &other.turns)
    }

    /// Where the gateway of a pod listens.
    pub(crate) fn address(&self, pod: IpAddr) -> SocketAddr {
        SocketAddr::new(pod, self.port)
    }

    /// How many connections the gateway of a pod has, and how far its drain is.
    pub async fn read(&self, pod: IpAddr) -> Result<DrainProgress, GatewayError> {
        self.call(pod, Method::GET, "/v1/drain", None).await
    }

    /// Tells the gateway of a pod what to do about its connections. To tell it twice is the same
    /// as once.
    pub async fn drain(&self, pod: IpAddr, command: &DrainCommand) -> Result<(), GatewayError> {
        let body = command.request();
        let method = if body.is_some() {
            Method::POST
        } else {
            Method::DELETE
        };
        self.call::<DrainProgress>(pod, method, "/v1/drain", body)
            .await
            .map(drop)
    }

    /// All gateways of the fleet that the one of a pod belongs to, as that one knows them.
    pub async fn fleet(&self, pod: IpAddr) -> Result<Vec<GatewayStatus>, GatewayError> {
        let fleet: FleetStatus = self.call(pod, Method::GET, "/v1/fleet", None).await?;
        Ok(fleet.gateways)
    }

    /// What the gateway of a pod has of the rooms.
    pub async fn rooms(&self, pod: IpAddr) -> Result<RoomCounts, GatewayError> {
        self.call(pod, Method::GET, "/v1/rooms", None).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        pod: IpAddr,
        method: Method,
        path: &str,
        body: Option<DrainRequest>,
    ) -> Result<T, GatewayError> {
        let address = self.address(pod).to_string();
        // Never closed, so there is always a turn.
        let _turn = self.turns.acquire().await;
        let request = self
            .client
            .request(method, format!("http://{address}{path}"));
        let request = request.bearer_auth(&self.key);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        exchange(request, &address).await
    }
}

async fn exchange<T: DeserializeOwned>(
    request: RequestBuilder,
    address: &str,
) -> Result<T, GatewayError> {
    let response = request
        .send()
        .await
        .map_err(|error| lost(address, &error))?;
    let status = response.status();
    let bytes = read(response, address).await?;
    if !status.is_success() {
        return Err(refused(address, status, &bytes));
    }
    serde_json::from_slice(&bytes).map_err(|error| unclear(address, &error.to_string()))
}

async fn read(mut response: Response, address: &str) -> Result<Vec<u8>, GatewayError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| lost(address, &error))?
    {
        if bytes.len() + chunk.len() > MOST_BYTES {
            return Err(unclear(address, "the answer has more than 4 MiB"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn lost(address: &str, error: &reqwest::Error) -> GatewayError {
    if error.is_timeout() && !error.is_connect() {
        let seconds = ANSWER.as_secs();
        return GatewayError::Slow {
            address: address.to_owned(),
            seconds,
        };
    }
    let (address, cause) = (address.to_owned(), root(error));
    let io = cause.downcast_ref::<io::Error>();
    if io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused) {
        return GatewayError::Absent { address };
    }
    GatewayError::Unreachable {
        address,
        why: cause.to_string(),
    }
}

/// The cause at the bottom: the others only say that a request failed.
fn root(error: &reqwest::Error) -> &(dyn std::error::Error + 'static) {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
}

fn refused(address: &str, status: StatusCode, bytes: &[u8]) -> GatewayError {
    let address = address.to_owned();
    let Ok(RefusalBody { error }) = serde_json::from_slice(bytes) else {
        return unclear(&address, &format!("status {status} without a reason"));
    };
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => GatewayError::Forbidden {
            address,
            code: error.code.into_owned(),
        },
        _ => GatewayError::Refused {
            address,
            code: error.code.into_owned(),
            message: error.message.into_owned(),
        },
    }
}

fn unclear(address: &str, why: &str) -> GatewayError {
    GatewayError::Unclear {
        address: address.to_owned(),
        why: why.to_owned(),
    }
}
