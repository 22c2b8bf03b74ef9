//! What a gateway has open beside the port for clients: the server API, health and metrics.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::subjects::Subjects;

/// How long the last answers may take at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// The ports that are open, and the server API by subject where there is NATS.
pub(crate) struct Ports {
    pub(crate) api: SocketAddr,
    pub(crate) ops: SocketAddr,
    /// Dropped to close the server API once its last answers are given.
    pub(super) stop_api: oneshot::Sender<()>,
    pub(super) api_task: JoinHandle<()>,
    pub(super) subjects: Option<Subjects>,
}

impl Ports {
    /// Gives the server API's last answers, for so long at most.
    pub(super) async fn close(self) {
        drop(self.stop_api);
        let subjects = async {
            if let Some(subjects) = self.subjects {
                subjects.end().await;
            }
        };
        let both = async { tokio::join!(self.api_task, subjects) };
        let _ = tokio::time::timeout(LAST_ANSWERS, both).await;
    }
}

/// Listens for what people call `what`.
pub(super) async fn bind(what: &str, address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|e| cannot_listen(what, address, &e))?;
    tracing::info!(address = %listener.local_addr()?, "{what} can be reached");
    Ok(listener)
}

/// Why nothing can be listened for at an address, and what to do about it.
pub(super) fn cannot_listen(what: &str, address: SocketAddr, error: &io::Error) -> io::Error {
    let message = format!(
        "cannot listen on {address} for {what}: {error}; end what uses the address, or choose another"
    );
    io::Error::new(error.kind(), message)
}
