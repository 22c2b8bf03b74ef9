//! Connecting, for as long as it takes.

use std::time::Instant;

use sluice_util::Retries;

use super::{
    dial::{DialError, Dialer, Established},
    quiet::Quiet,
    servers::Servers,
};

/// Tries all servers until one takes the connection, for ever.
pub(super) async fn connect(
    dialer: &Dialer,
    servers: &Servers,
    retries: &mut Retries,
) -> Established {
    let mut quiet = Quiet::default();
    loop {
        tokio::time::sleep(retries.delay(rand::random())).await;
        let mut slow = false;
        for url in servers.round() {
            match dialer.dial(&url).await {
                Ok(established) => return established,
                Err(error) => {
                    slow |= error.is_about_credentials();
                    report(&mut quiet, &url.to_string(), &error);
                }
            }
        }
        retries.failed();
        if slow {
            retries.failed_for_long();
        }
    }
}

fn report(quiet: &mut Quiet, server: &str, error: &DialError) {
    if quiet.is_news(&format!("{server} {error}"), Instant::now()) {
        tracing::warn!(server, %error, "a NATS server cannot be connected to; the link goes on trying");
    } else {
        tracing::debug!(server, %error, "a NATS server still cannot be connected to");
    }
}
