//! A client whose TLS ends at another gateway than the one that owns its session.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use sluice_net::tls::Certificate;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore},
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::support::{Between, Client, Server, eventually, roomy};

fn certificate() -> (Certificate, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let certificate = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (certificate, Arc::new(config).into())
}

async fn websocket(
    client: Client,
    connector: &TlsConnector,
    sid: &str,
) -> WebSocketStream<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(client.address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let stream = connector.connect(name, tcp).await.unwrap();
    let url = format!("ws://localhost/engine.io/?EIO=4&transport=websocket&sid={sid}");
    client_async(url, stream).await.unwrap().0
}

#[tokio::test]
async fn tls_ends_where_the_websocket_is_accepted() {
    let between = Between::new();
    let (certificate, connector) = certificate();
    let owner = Server::joined(1, &roomy(), &between);
    let other = Server::joined_behind(Some(&certificate), 2, &roomy(), &between);
    let sid = owner.client().open().await;
    let mut websocket = websocket(other.client(), &connector, &sid).await;
    let mut echo: Vec<_> = ["2probe", "5"].map(Message::text).into();
    let long = "x".repeat(900_000);
    echo.extend((0..8).map(|n| Message::text(format!("4{n}{long}"))));
    for message in &echo {
        websocket.send(message.clone()).await.unwrap();
    }
    assert_eq!(
        websocket.next().await.unwrap().unwrap(),
        Message::text("3probe")
    );
    for wanted in &echo[2..] {
        assert!(websocket.next().await.unwrap().unwrap() == *wanted);
    }
    websocket.send(Message::text("4cut")).await.unwrap();
    let Some(Ok(Message::Close(Some(close)))) = websocket.next().await else {
        panic!("the close should arrive");
    };
    assert_eq!(u16::from(close.code), 4504);
    drop(websocket);
    eventually("no socket", || other.counters[0].sockets.get() == 0).await;
    assert_eq!(between.count(2, |counters| counters.broken.get()), 0);
}
