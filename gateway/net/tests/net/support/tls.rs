//! Certificates, and clients that trust them.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion, crypto::aws_lc_rs::default_provider,
};
use sluice_net::tls::Certificate;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{Server, Setup, URL};

/// A certificate, its key, and a client's view of it.
pub struct Pair {
    pub chain: String,
    pub key: String,
    pub roots: RootCertStore,
}

impl Pair {
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        Self {
            chain: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
            roots,
        }
    }

    pub fn certificate(&self) -> Certificate {
        Certificate::from_pem(self.chain.as_bytes(), self.key.as_bytes()).unwrap()
    }

    pub fn connector(&self, version: &'static SupportedProtocolVersion) -> TlsConnector {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        Arc::new(config).into()
    }
}

pub type Stream = TlsStream<TcpStream>;

pub async fn handshake(server: &Server, connector: &TlsConnector) -> std::io::Result<Stream> {
    let name = "localhost".try_into().unwrap();
    connector.connect(name, server.tcp().await).await
}

pub async fn client(server: &Server, connector: &TlsConnector) -> WebSocketStream<Stream> {
    let stream = handshake(server, connector).await.unwrap();
    client_async(URL, stream).await.unwrap().0
}

pub fn start(pair: &Pair) -> Server {
    Server::start(Setup {
        certificate: Some(pair.certificate()),
        ..Setup::default()
    })
}
