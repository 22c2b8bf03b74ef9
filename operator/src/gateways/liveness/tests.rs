//! Watching a gateway that is a socket.

use tokio::net::TcpListener;

use super::*;
use crate::{Kind, stores::reference};

#[tokio::test]
async fn a_gateway_that_ends_or_is_there_again_has_its_cluster_looked_at() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (queue, mut changes) = mpsc::channel(8);
    let cluster = reference(Kind::RealtimeCluster, "default", "chat");
    let liveness = Liveness::new(Backbones::default());
    let watched = WatchedGateway {
        pod: "pod".to_owned(),
        name: "chat-1".to_owned(),
        address,
    };
    liveness.watch("uid", &[watched], &cluster, &queue);
    let (connection, _) = listener.accept().await.unwrap();

    // Closed without the gateway's end: it is connected to again, and nobody is told.
    drop(connection);
    let (connection, _) = listener.accept().await.unwrap();
    assert!(changes.try_recv().is_err());
    assert_eq!(liveness.state("pod"), Some(GatewayState::Alive));

    drop((listener, connection));
    assert_eq!(changes.recv().await.unwrap().name, "chat");
    assert_eq!(liveness.state("pod"), Some(GatewayState::Ended));

    let listener = TcpListener::bind(address).await.unwrap();
    assert_eq!(changes.recv().await.unwrap().name, "chat");
    liveness.watch("uid", &[], &cluster, &queue);
    assert!(liveness.all().is_empty());
    drop(listener);
}
