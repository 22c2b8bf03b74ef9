//! What is heard of the bucket, from a real server.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use async_nats::jetstream;
use futures_util::TryStreamExt as _;
use sluice_bucket::{Connection, Login, News, Pushed, watch};
use sluice_contract::{Names, Role, WireVersion};
use sluice_nats::link::Logins;
use sluice_test_nats::{Server, Settings};
use tokio::{sync::mpsc, time::timeout};

/// A deaf watch notices by itself that it is, but only after ten seconds.
const SOON: Duration = Duration::from_secs(7);

async fn connect(server: &Server, names: Names) -> Connection {
    let login = Login {
        urls: server.url(),
        logins: Logins::default(),
        certificates: None,
        name: "test".to_owned(),
        role: Role::Gateway,
    };
    let connection = Connection::open(&login, names).await.unwrap();
    connection.connected().await;
    connection
}

/// Has the server forget who watches the bucket, without telling them.
async fn deafen(server: &Server, names: &Names) {
    let client = async_nats::connect(server.url()).await.unwrap();
    let bucket = format!("KV_{}", names.bucket());
    let stream = jetstream::new(client).get_stream(bucket).await.unwrap();
    sluice_test_nats::until("the bucket is watched", async || {
        let watching: Vec<String> = stream.consumer_names().try_collect().await.unwrap();
        for name in &watching {
            stream.delete_consumer(name).await.unwrap();
        }
        !watching.is_empty()
    })
    .await;
}

#[tokio::test]
async fn the_first_documents_are_heard_of_soon_though_the_watch_was_deaf() {
    let server = Server::start(Settings::default().jetstream()).await;
    let names = Names::new("default", "chat");
    let connection = connect(&server, names.clone()).await;
    let (news, mut heard) = mpsc::channel(8);
    let watching = tokio::spawn(watch(connection.clone(), news));
    assert_eq!(heard.recv().await, Some(News::Current));
    deafen(&server, &names).await;
    let text = "kind: Room".to_owned();
    let revision = connection.push(text.clone()).await.unwrap();
    let first = timeout(SOON, heard.recv()).await.unwrap();
    assert_eq!(first, Some(News::Documents(Pushed { revision, text })));
    watching.abort();
}

#[tokio::test]
async fn a_finalised_wire_version_is_heard_of_and_never_made_less() {
    let server = Server::start(Settings::default().jetstream()).await;
    let connection = connect(&server, Names::new("default", "chat")).await;
    assert_eq!(connection.finalised().await.unwrap(), None);
    let (two, three) = (WireVersion(2), WireVersion(3));
    assert_eq!(connection.finalise(two).await.unwrap(), two);
    let (news, mut heard) = mpsc::channel(8);
    let watching = tokio::spawn(watch(connection.clone(), news));
    assert_eq!(heard.recv().await, Some(News::Finalised(two)));
    assert_eq!(heard.recv().await, Some(News::Current));
    assert_eq!(connection.finalise(three).await.unwrap(), three);
    assert_eq!(heard.recv().await, Some(News::Finalised(three)));
    assert_eq!(connection.finalise(two).await.unwrap(), three);
    assert_eq!(connection.finalised().await.unwrap(), Some(three));
    watching.abort();
}
