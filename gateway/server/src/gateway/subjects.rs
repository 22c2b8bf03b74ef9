//! The server API by subject.

use std::{pin::pin, sync::Arc, time::Duration};

use async_nats::{
    HeaderMap,
    service::{self, Service, ServiceExt as _, endpoint::Endpoint},
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use sluice_api::{Api, Caller};
use sluice_bucket::Connection;
use sluice_contract::token;
use tokio::{
    sync::{Semaphore, oneshot},
    task::JoinHandle,
    time::sleep,
};

/// The group in which each request is one gateway's.
const GROUP: &str = "gateways";
/// How many requests are taken up at once; beyond them requests wait, and the API refuses before
/// that.
const MOST: usize = 512;
/// The pause after the subjects could not be subscribed to.
const RETRY: Duration = Duration::from_secs(1);
/// The code of a refusal, and its HTTP status, as NATS services say them.
const CODE: &str = "Nats-Service-Error";
const STATUS: &str = "Nats-Service-Error-Code";

/// The server API by subject, until it is ended.
pub(super) struct Subjects {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Subjects {
    /// Answers from now on, as soon as there is a connection, as the gateway called `name`.
    pub(super) fn open(connection: Connection, api: Api, name: &str) -> Self {
        let (stop, stopped) = oneshot::channel();
        let name = name.to_owned();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            answer(connection, Caller::new(api), &name, stopped).await;
        });
        Self { stop, task }
    }

    /// Takes no more requests, and waits for the last answers.
    pub(super) async fn end(self) {
        drop(self.stop);
        let _ = self.task.await;
    }
}

/// Answers requests on `<prefix>.api.<operation>`, as one gateway of all that do, and those for
/// this one gateway on `<prefix>.api.<operation>.<name>`. When `stopped` is done it takes no more
/// of them, and returns when those it has are answered.
///
/// It is a NATS service: tools find it as `sluice-api`.
async fn answer(
    connection: Connection,
    caller: Caller,
    gateway: &str,
    stopped: impl Future<Output = ()>,
) {
    let mut stopped = pin!(stopped);
    let begun = async {
        connection.connected().await;
        begin(&connection, &caller, gateway).await
    };
    let (service, endpoints) = tokio::select! {
        begun = begun => begun,
        () = &mut stopped => return,
    };
    let most = Arc::new(Semaphore::new(MOST));
    let all = endpoints
        .into_iter()
        .map(|(operation, endpoint)| serve(operation, endpoint, caller.clone(), Arc::clone(&most)));
    let stop = async {
        stopped.await;
        if let Err(error) = service.stop().await {
            tracing::debug!(%error, "the service had ended already");
        }
    };
    tokio::join!(futures_util::future::join_all(all), stop);
    // Those that are worked on have a permit each.
    let _ = most.acquire_many(MOST as u32).await;
    let _ = connection.client().flush().await;
}

type Endpoints = Vec<(&'static str, Endpoint)>;

/// Subscribes, again and again until it works.
async fn begin(connection: &Connection, caller: &Caller, gateway: &str) -> (Service, Endpoints) {
    loop {
        match subscribe(connection, caller, gateway).await {
            Ok(subscribed) => return subscribed,
            Err(error) => {
                tracing::warn!(%error, "the server API cannot be reached by subject yet");
                sleep(RETRY).await;
            }
        }
    }
}

async fn subscribe(
    connection: &Connection,
    caller: &Caller,
    gateway: &str,
) -> Result<(Service, Endpoints), async_nats::Error> {
    let service = connection
        .client()
        .service_builder()
        .description("The server API of a Sluice cluster")
        .queue_group(GROUP)
        .metadata([("gateway".to_owned(), gateway.to_owned())].into())
        .start("sluice-api", env!("CARGO_PKG_VERSION"))
        .await?;
    let group = service.group(connection.names().api());
    let mut endpoints = Vec::new();
    for operation in caller.operations() {
        let builder = group.endpoint_builder().name(operation);
        endpoints.push((operation, builder.add(operation).await?));
    }
    for operation in caller.own_operations() {
        let subject = format!("{operation}.{}", token(gateway));
        let builder = group.endpoint_builder().name(operation);
        endpoints.push((operation, builder.add(subject).await?));
    }
    Ok((service, endpoints))
}

async fn serve(
    operation: &'static str,
    mut endpoint: Endpoint,
    caller: Caller,
    most: Arc<Semaphore>,
) {
    while let Some(request) = endpoint.next().await {
        let Ok(permit) = Arc::clone(&most).acquire_owned().await else {
            return;
        };
        let caller = caller.clone();
        tokio::spawn(async move {
            let _permit = permit;
            one(operation, &request, &caller).await;
        });
    }
}

async fn one(operation: &'static str, request: &service::Request, caller: &Caller) {
    let trace = trace(request.message.headers.as_ref());
    let payload = &request.message.payload;
    let answer = caller.call(operation, payload, trace).await;
    let mut headers = HeaderMap::new();
    if let Some(code) = answer.refused {
        headers.insert(CODE, code.as_str());
        headers.insert(STATUS, answer.status.to_string().as_str());
    }
    // A request without a reply subject was carried out all the same.
    let told = request.respond_with_headers(Ok(answer.json), headers).await;
    if told.is_err() && request.message.reply.is_some() {
        let refusal = Bytes::from_static(
            br#"{"error":{"code":"answer_too_large","message":"the answer is larger than NATS takes; ask for less at once"}}"#,
        );
        let mut headers = HeaderMap::new();
        headers.insert(CODE, "answer_too_large");
        headers.insert(STATUS, "500");
        let _ = request.respond_with_headers(Ok(refusal), headers).await;
    }
}

/// What the headers say of the trace that a request belongs to.
fn trace(headers: Option<&HeaderMap>) -> http::HeaderMap {
    let value = |name: &'static str| {
        let value = headers?.get(name)?.as_str();
        Some((http::HeaderName::from_static(name), value.parse().ok()?))
    };
    sluice_spans::NAMES.into_iter().filter_map(value).collect()
}
