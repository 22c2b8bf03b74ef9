//! Why a server cannot be connected to.

use std::io;

use thiserror::Error;

use crate::link::{
    complaint::{Complaint, understand},
    protocol::ProtocolError,
    tls::TlsError,
};

#[derive(Debug, Error)]
pub(in crate::link) enum DialError {
    #[error("its name has no address; check the URL")]
    NoAddress,
    #[error("its name was not resolved in time; check the cluster's DNS")]
    LookupTimeout,
    #[error("its name cannot be resolved ({0}); check the URL and the cluster's DNS")]
    Lookup(io::Error),
    #[error("it did not answer in time; check the URL, network policies, and that NATS runs")]
    ConnectTimeout,
    #[error("it cannot be reached ({0}); check the URL, network policies, and that NATS runs")]
    Connect(io::Error),
    #[error("it did not greet in time; check that the URL leads to a client port of NATS")]
    GreetingTimeout,
    #[error("the connection broke during the greeting: {0}")]
    Broken(#[from] io::Error),
    #[error("it closed the connection during the greeting; see the log of the NATS server")]
    Closed,
    #[error("{0}")]
    Protocol(#[from] ProtocolError),
    #[error("it sent something else than a greeting; check that the URL leads to a NATS server")]
    Unexpected,
    #[error(
        "TLS failed ({0}); check the server's certificate, and the CA that the gateway is given"
    )]
    Tls(#[from] TlsError),
    #[error("it takes no headers; take no_header_support out of its configuration")]
    NoHeaders,
    #[error("the credentials cannot sign ({0}); use a .creds file as nsc writes it")]
    Sign(#[from] nkeys::error::Error),
    #[error("what lets the gateway in cannot be read: {0}")]
    Login(io::Error),
    #[error("the greeting cannot be written: {0}")]
    Write(#[from] serde_json::Error),
    #[error("it refuses: {0}; {todo}", todo = understand(.0).1)]
    Refused(String),
}

impl DialError {
    /// Whether trying again soon would help nobody.
    pub(in crate::link) fn is_about_credentials(&self) -> bool {
        match self {
            Self::Refused(text) => understand(text).0 == Complaint::Credentials,
            Self::Sign(_) | Self::Login(_) => true,
            _ => false,
        }
    }
}
