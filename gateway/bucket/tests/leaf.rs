//! Gateways at a leaf node, whose messages are stored by the servers behind it.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use sluice_bucket::{Connection, Login};
use sluice_contract::{Names, Role};
use sluice_nats::{
    link::Logins,
    streams::{self, Wanted},
};
use sluice_test_nats::{Folder, Server, Settings, free_port, until};

#[tokio::test]
async fn the_streams_are_made_and_the_bucket_is_used_through_a_leaf_node() {
    let (folder, leaves) = (Folder::new(), free_port());
    let store = folder.path().display();
    let hub = format!(
        "jetstream {{ store_dir: \"{store}\", domain: hub }}
         leafnodes {{ listen: 127.0.0.1:{leaves} }}"
    );
    let _hub = Server::start(Settings::default().name("hub").config(&hub)).await;
    let leaf = format!(
        "mappings {{ \"$JS.API.>\": \"$JS.hub.API.>\", \"$KV.>\": \"$JS.hub.API.$KV.>\" }}
         leafnodes {{ remotes: [ {{ url: \"nats://127.0.0.1:{leaves}\" }} ] }}"
    );
    let leaf = Server::start(Settings::default().name("leaf").config(&leaf)).await;
    let login = Login {
        urls: leaf.url(),
        logins: Logins::default(),
        certificates: None,
        name: "test".to_owned(),
        role: Role::Gateway,
    };
    let names = Names::new("default", "chat");
    let connection = Connection::open(&login, names.clone()).await.unwrap();
    connection.connected().await;
    let wanted = |messages_per_room| Wanted {
        replicas: 3,
        messages_per_room,
        max_age: Duration::from_hours(1),
    };
    let ensure = async |wanted| {
        let ensured = streams::ensure(connection.client(), &names, &wanted).await;
        ensured.is_ok()
    };
    until("the streams are made", async || ensure(wanted(10)).await).await;
    assert!(ensure(wanted(20)).await, "they are widened");
    let revision = connection.push("documents".to_owned()).await.unwrap();
    let pushed = connection.pushed().await.unwrap().unwrap();
    assert_eq!((pushed.revision, &*pushed.text), (revision, "documents"));
}
