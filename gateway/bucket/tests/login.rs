//! What lets a client in is read anew for each connection.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};

use sluice_bucket::{Connection, Login};
use sluice_contract::{Names, Role};
use sluice_nats::link::{Auth, Logins};
use sluice_test_nats::{Authority, Folder, Operator, Server, Settings, until};

/// Logins that a test changes.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<Auth>>>);

impl Shelf {
    fn put(&self, logins: &[&str]) {
        let all = logins.iter().map(|text| Auth::parse(text).unwrap());
        *self.0.lock().unwrap() = all.collect();
    }

    async fn connect(&self, server: &Server) -> Connection {
        let logins = self.clone();
        let login = Login {
            urls: server.url(),
            logins: Logins::new(move || Ok(logins.0.lock().unwrap().clone())),
            certificates: None,
            name: "test".to_owned(),
            role: Role::Gateway,
        };
        let names = Names::new("default", "chat");
        let connection = Connection::open(&login, names).await.unwrap();
        connection.connected().await;
        connection
    }
}

async fn answers(connection: &Connection) {
    connection.client().flush().await.unwrap();
    assert!(connection.is_connected());
}

/// The users whose connections the server has, by their keys.
async fn users(server: &Server) -> Vec<String> {
    let told = server.monitor("/connz?auth=1").await;
    let named = told.split("\"authorized_user\": \"").skip(1);
    let named = named.filter_map(|rest| rest.split('"').next());
    named.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_login_that_is_replaced_in_time_is_used_before_the_server_ends_the_old_one() {
    let operator = Operator::new();
    let server = Server::start(Settings::default().config(&operator.config())).await;
    let shelf = Shelf::default();
    shelf.put(&[&operator.creds_for(12)]);
    let connection = shelf.connect(&server).await;
    let first = users(&server).await;
    shelf.put(&[&operator.creds_for(3_600)]);
    until("the next login is used", async || {
        let now = users(&server).await;
        now.len() == 1 && now != first
    })
    .await;
    connection.connected().await;
    answers(&connection).await;
    assert!(!server.log().contains("xpired"), "{}", server.log());
}

#[tokio::test]
async fn a_login_that_is_refused_leads_to_the_next_and_a_changed_one_is_used_after_a_restart() {
    let users = |password: &str| {
        format!("authorization {{ users: [ {{user: ann, password: {password}}} ] }}")
    };
    let mut server = Server::start(Settings::default().config(&users("first"))).await;
    let shelf = Shelf::default();
    shelf.put(&["ann:second", "ann:first"]);
    let connection = shelf.connect(&server).await;
    answers(&connection).await;
    server.kill().await;
    server.configure(&Settings::default().config(&users("third")));
    shelf.put(&["ann:third"]);
    server.restart().await;
    until("it is connected again", async || connection.is_connected()).await;
    answers(&connection).await;
}

#[tokio::test]
async fn a_server_that_asks_who_comes_is_shown_the_certificate_that_there_is_now() {
    let (authority, own, client) = (Authority::default(), Folder::new(), Folder::new());
    let mut server = Server::start(authority.mutual(&own)).await;
    authority.sign("gateway", client.path());
    let login = Login {
        urls: server.url(),
        logins: Logins::default(),
        certificates: Some(client.path().to_owned()),
        name: "test".to_owned(),
        role: Role::Gateway,
    };
    let names = Names::new("default", "chat");
    let connection = Connection::open(&login, names).await.unwrap();
    connection.connected().await;
    let next = Authority::default();
    server.kill().await;
    until("the connection is lost", async || {
        !connection.is_connected()
    })
    .await;
    next.mutual(&own);
    next.sign("gateway", client.path());
    server.restart().await;
    connection.connected().await;
    answers(&connection).await;
}
