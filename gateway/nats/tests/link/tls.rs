//! Encrypted connections.

use std::{fs, path::PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sluice_nats::link::{NO_HEADERS, Options};
use sluice_test_nats::{Authority, Folder, Server, Settings, until};

use super::support::{Client, options};

/// A server with a certificate for 127.0.0.1, and the authority that signed it.
async fn server(name: &str) -> (Server, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let place = |kind: &str| folder.join(format!("{:x}.{kind}", rand::random::<u64>()));
    let (chain_file, key_file) = (place("crt"), place("key"));
    fs::write(&chain_file, certificate.pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    let settings = Settings::default().tls(&chain_file, &key_file);
    let server = Server::start(settings).await;
    fs::remove_file(chain_file).unwrap();
    fs::remove_file(key_file).unwrap();
    (server, authority.pem())
}

fn trusting(url: &str, ca: String) -> Options {
    Options {
        ca: Some(ca),
        ..options(&[url])
    }
}

#[tokio::test]
async fn a_connection_is_encrypted_where_the_url_or_the_server_wants_it() {
    let (server, ca) = server("127.0.0.1").await;
    let secure = server.url().replace("nats://", "tls://");
    let a = Client::connected(trusting(&server.url(), ca.clone())).await;
    let b = Client::connected(trusting(&secure, ca)).await;
    b.link.subscribe("x");
    b.flush().await;
    let payload = vec![7; 1_000_000];
    for _ in 0..5 {
        a.link.publish("x", None, NO_HEADERS, &payload).unwrap();
    }
    let received = b.received(6).await;
    assert!(received[1..].iter().all(|packet| packet.payload == payload));
    assert!(server.monitor("/connz").await.contains("tls_version"));
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_trusts_gets_no_greeting() {
    let (server, _) = server("127.0.0.1").await;
    let client = Client::start(options(&[&server.url()]));
    until("the handshake fails", async || {
        server.log().contains("TLS handshake error")
    })
    .await;
    assert!(client.servers().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_enough() {
    let (server, ca) = server("nats.example").await;
    let client = Client::start(trusting(&server.url(), ca));
    until("the handshake fails", async || {
        server.log().contains("TLS handshake error")
    })
    .await;
    assert!(client.servers().is_empty());
}

#[tokio::test]
async fn a_server_that_asks_who_comes_is_shown_the_certificate_that_there_is_now() {
    let (authority, own, client) = (Authority::default(), Folder::new(), Folder::new());
    let mut server = Server::start(authority.mutual(&own)).await;
    authority.sign("gateway", client.path());
    Authority::default().sign("gateway", client.path());
    // Its authority is trusted, and who shows the certificate is not known.
    fs::copy(own.path().join("ca.crt"), client.path().join("ca.crt")).unwrap();
    let link = Client::start(Options {
        certificates: Some(client.path().to_owned()),
        ..options(&[&server.url()])
    });
    until("the server refuses", async || {
        server.log().contains("TLS handshake error")
    })
    .await;
    assert!(link.servers().is_empty());
    authority.sign("gateway", client.path());
    link.connections(1).await;
    // The next one is read where a connection is made anew.
    let next = Authority::default();
    server.kill().await;
    next.mutual(&own);
    next.sign("gateway", client.path());
    server.restart().await;
    link.connections(2).await;
    link.flush().await;
}
