//! Connections that end without a close, and many at once.

use sluice_net::Cause;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Server, Setup, ask, masked, until};

/// As many as fit, both ends in one process, under a usual limit of open files.
const MANY: usize = 400;

#[tokio::test]
async fn each_of_many_receivers_is_told_once() {
    let server = Server::start(Setup::default());
    let mut clients = Vec::new();
    for _ in 0..MANY {
        clients.push(server.client().await);
    }
    server.counts(|c| &c.connections, MANY as u64).await;
    let mut stays = server.client().await;
    drop(clients);
    until(|| server.told().len() == MANY).await;
    assert!(server.told().iter().all(|cause| *cause == Cause::Lost));
    let message = Message::text("not concerned");
    assert_eq!(ask(&mut stays, message.clone()).await, message);
    drop(stays);
    server.empties().await;
    assert_eq!(server.told().len(), MANY + 1);
    assert_eq!(server.counters.accepted.get(), MANY as u64 + 1);
}

#[tokio::test]
async fn a_connection_that_ends_in_the_middle_of_a_frame_is_lost() {
    let server = Server::start(Setup::default());
    let mut client = server.client().await;
    let frame = masked(0x81, b"cut off");
    client.get_mut().write_all(&frame[..8]).await.unwrap();
    drop(client);
    server.empties().await;
    assert_eq!(server.told(), [Cause::Lost]);
}

#[tokio::test]
async fn a_connection_that_ends_while_it_is_owed_is_lost_with_what_it_was_owed() {
    let mut setup = Setup::default();
    setup.options.max_outbound = 100 << 20;
    let server = Server::start(setup);
    let mut client = server.client().await;
    let frame = masked(0x81, b"burst 300 100000");
    client.get_mut().write_all(&frame).await.unwrap();
    server.counts(|c| &c.frames_out, 300).await;
    drop(client);
    server.empties().await;
    assert_eq!(server.told(), [Cause::Lost]);
}
