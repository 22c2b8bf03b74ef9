//! Places that are no server, or a strange one.

use std::time::Duration;

use sluice_nats::link::Options;
use sluice_test_nats::{Server, Settings, until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};

use super::support::{Client, options};

/// A place that sends `text` to whoever comes and tells what they sent until they left.
async fn place(text: &'static str) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(text.as_bytes()).await;
            let mut sent = Vec::new();
            let _ = stream.read_to_end(&mut sent).await;
            let _ = tell.send(String::from_utf8_lossy(&sent).into_owned());
        }
    });
    (url, told)
}

/// With little patience for who does not greet.
fn hasty(urls: &[&str]) -> Options {
    Options {
        connect_timeout: Duration::from_millis(300),
        ..options(urls)
    }
}

#[tokio::test]
async fn places_that_greet_wrongly_or_not_at_all_are_passed_over() {
    let server = Server::start(Settings::default()).await;
    let texts = [
        "",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "PING\r\n",
        "-ERR 'maximum connections exceeded'\r\n",
        "INFO {\"headers\":false}\r\nPONG\r\n",
        "INFO {\"headers\":true}\r\nMSG a 1 0\r\n\r\n",
    ];
    for text in texts {
        let (url, mut told) = place(text).await;
        let client = Client::start(hasty(&[&url]));
        told.recv().await.unwrap();
        told.recv().await.unwrap();
        assert!(client.events().is_empty(), "{text}");
        client.link.close().await;
        let (url, _told) = place(text).await;
        Client::connected(hasty(&[&url, &server.url()])).await;
    }
}

#[tokio::test]
async fn what_comes_in_the_clear_before_encryption_is_not_believed() {
    let text = "INFO {\"headers\":true,\"tls_required\":true}\r\nPONG\r\n";
    let (url, mut told) = place(text).await;
    let client = Client::start(options(&[&url]));
    let sent = told.recv().await.unwrap();
    assert_eq!(sent, "");
    assert!(client.events().is_empty());
}

#[tokio::test]
async fn a_server_that_is_to_encrypt_is_not_greeted_in_the_clear() {
    let (url, mut told) = place("INFO {\"headers\":true}\r\n").await;
    let secure = url.replace("nats://", "tls://");
    let _client = Client::start(hasty(&[&secure]));
    let sent = told.recv().await.unwrap();
    assert!(
        sent.starts_with('\u{16}') && !sent.contains("CONNECT"),
        "{sent}"
    );
}

#[tokio::test]
async fn a_connection_that_turns_to_garbage_is_lost() {
    let text = "INFO {\"headers\":true,\"max_payload\":100}\r\nPONG\r\nMSG a 1 1\r\nxyz\r\n";
    let (url, _told) = place(text).await;
    let client = Client::connected(options(&[&url])).await;
    until("the garbage is seen", async || !client.losses().is_empty()).await;
    let why = "a message of the server does not end where its size says";
    assert_eq!(client.losses()[0], why);
}

#[tokio::test]
async fn a_name_with_several_addresses_leads_to_the_one_that_works() {
    let server = Server::start(Settings::default()).await;
    let url = format!("nats://localhost:{}", server.port());
    Client::connected(options(&[&url])).await;
}
