//! Noticing at once that a gateway has ended.
//!
//! Its node tells after a second or two, and until then the Service sends it a part of those who
//! come back from it: they are refused, and wait again. But the connections of a process that ends
//! are closed in that moment, and what connects to it then is refused.

use std::{
    collections::HashMap,
    io::ErrorKind,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    sync::mpsc,
    task::AbortHandle,
    time::{sleep, timeout},
};

use crate::stores::Changed;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// How long after a connection was closed another one is tried: a gateway closes those over which
/// nothing is asked.
const AT_ONCE: Duration = Duration::from_millis(20);

/// How long after one could not be made.
const AGAIN: Duration = Duration::from_millis(500);

/// The gateways that are watched, by the identity of their pods.
#[derive(Default)]
pub(crate) struct Vigils(Mutex<HashMap<String, Vigil>>);

struct Vigil {
    /// The identity of the cluster.
    cluster: String,
    address: SocketAddr,
    task: AbortHandle,
}

impl Drop for Vigil {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Vigils {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Vigil>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches these gateways of a cluster, by the identity of their pods, and no others of it. The
    /// cluster is looked at again when one ends, and when one is there again.
    pub(crate) fn watch(
        &self,
        uid: &str,
        gateways: &[(String, SocketAddr)],
        cluster: &Changed,
        queue: &mpsc::Sender<Changed>,
    ) {
        let mut all = self.all();
        all.retain(|pod, vigil| {
            let is = |(of, at): &(String, SocketAddr)| of == pod && *at == vigil.address;
            vigil.cluster != uid || gateways.iter().any(is)
        });
        for (pod, address) in gateways {
            all.entry(pod.clone()).or_insert_with(|| Vigil {
                cluster: uid.to_owned(),
                address: *address,
                task: tokio::spawn(keep(*address, cluster.clone(), queue.clone())).abort_handle(),
            });
        }
    }

    /// Watches no gateways of clusters that are gone.
    pub(crate) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.all().retain(|_, vigil| is_there(&vigil.cluster));
    }
}

async fn keep(address: SocketAddr, cluster: Changed, queue: mpsc::Sender<Changed>) {
    let mut there = None;
    loop {
        let pause = match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                tell(&mut there, true, &cluster, &queue).await;
                until_closed(stream).await;
                AT_ONCE
            }
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                tell(&mut there, false, &cluster, &queue).await;
                AGAIN
            }
            // That nothing answers says nothing of the gateway.
            _ => AGAIN,
        };
        sleep(pause).await;
    }
}

async fn tell(
    there: &mut Option<bool>,
    is: bool,
    cluster: &Changed,
    queue: &mpsc::Sender<Changed>,
) {
    if there.replace(is).is_some_and(|was| was != is) {
        // Fails only when the operator ends.
        let _ = queue.send(cluster.clone()).await;
    }
}

async fn until_closed(mut stream: TcpStream) {
    let mut nothing = [0; 1];
    while stream.read(&mut nothing).await.is_ok_and(|read| read > 0) {}
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::{Kind, stores::reference};

    #[tokio::test]
    async fn a_gateway_that_ends_or_is_there_again_has_its_cluster_looked_at() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (queue, mut changes) = mpsc::channel(8);
        let cluster = reference(Kind::RealtimeCluster, "default", "chat");
        let (vigils, pod) = (Vigils::default(), "pod".to_owned());
        vigils.watch("uid", &[(pod, address)], &cluster, &queue);
        let (connection, _) = listener.accept().await.unwrap();

        // Closed without the gateway's end: it is connected to again, and nobody is told.
        drop(connection);
        let (connection, _) = listener.accept().await.unwrap();
        assert!(changes.try_recv().is_err());

        drop((listener, connection));
        assert_eq!(changes.recv().await.unwrap().name, "chat");

        let listener = TcpListener::bind(address).await.unwrap();
        assert_eq!(changes.recv().await.unwrap().name, "chat");
        vigils.watch("uid", &[], &cluster, &queue);
        assert!(vigils.all().is_empty());
        drop(listener);
    }
}
