//! Who may connect.

use std::{
    io,
    sync::{Arc, Mutex},
};

use sluice_nats::link::{Auth, Credentials, Logins, Options};
use sluice_test_nats::{Operator, Server, Settings, until};

use super::support::{Client, options, with_auth};

const USER: &str = "authorization { user: ann, password: s3cret }";
const TOKEN: &str = "authorization { token: t0ken }";

async fn server(config: &str) -> Server {
    Server::start(Settings::default().config(config)).await
}

fn ann(password: &str) -> Auth {
    Auth::UserPassword {
        user: "ann".into(),
        password: password.into(),
    }
}

#[tokio::test]
async fn a_user_with_the_password_may_connect() {
    let server = server(USER).await;
    Client::connected(with_auth(&[&server.url()], ann("s3cret"))).await;
}

#[tokio::test]
async fn a_token_is_enough_where_the_server_wants_one() {
    let server = server(TOKEN).await;
    let auth = Auth::Token("t0ken".into());
    Client::connected(with_auth(&[&server.url()], auth)).await;
}

#[tokio::test]
async fn a_user_or_a_token_in_the_url_comes_before_all_others() {
    let with_user = server(USER).await;
    let url = with_user.url().replace("//", "//ann:s3cret@");
    Client::connected(with_auth(&[&url], ann("wrong"))).await;
    let with_token = server(TOKEN).await;
    Client::connected(options(&[&with_token.url().replace("//", "//t0ken@")])).await;
}

#[tokio::test]
async fn credentials_sign_what_the_server_asks() {
    let operator = Operator::new();
    let server = server(&operator.config()).await;
    let credentials = Credentials::parse(&operator.creds(None)).unwrap();
    let auth = Auth::Credentials(credentials);
    let client = Client::connected(with_auth(&[&server.url()], auth)).await;
    client.flush().await;
}

#[tokio::test]
async fn when_credentials_expire_the_link_says_so() {
    let operator = Operator::new();
    let server = server(&operator.config()).await;
    let creds = operator.creds_for(3);
    let auth = Auth::Credentials(Credentials::parse(&creds).unwrap());
    let client = Client::connected(with_auth(&[&server.url()], auth)).await;
    until("the credentials expire", async || {
        !client.losses().is_empty()
    })
    .await;
    assert_eq!(client.losses(), ["User Authentication Expired"]);
}

#[tokio::test]
async fn credentials_of_another_operator_are_refused() {
    let server = server(&Operator::new().config()).await;
    let creds = Credentials::parse(&Operator::new().creds(None)).unwrap();
    let client = Client::start(with_auth(&[&server.url()], Auth::Credentials(creds)));
    until("the server refuses", async || {
        server.log().contains("authentication error")
    })
    .await;
    assert!(client.servers().is_empty());
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_refused_user_is_told_what_to_do_and_no_secret_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = server(USER).await;
    let url = server.url().replace("//", "//bob:hidden@");
    let client = Client::start(with_auth(&[&server.url(), &url], ann("wr0ng")));
    until("the refusal is logged", async || {
        log.text()
            .contains("Authorization Violation; check the user")
    })
    .await;
    until("the server refused both", async || {
        server.log().matches("authentication error").count() >= 2
    })
    .await;
    assert!(client.servers().is_empty());
    assert!(!log.text().contains("wr0ng") && !log.text().contains("hidden"));
}

#[tokio::test]
async fn what_a_user_may_not_do_is_counted_and_the_link_stays() {
    let permissions = "{ publish: { deny: forbidden }, subscribe: { deny: forbidden } }";
    let user = format!("{{ user: ann, password: s3cret, permissions: {permissions} }}");
    let server = server(&format!("authorization {{ users: [ {user} ] }}")).await;
    let client = Client::connected(with_auth(&[&server.url()], ann("s3cret"))).await;
    client.link.subscribe("forbidden");
    client.send("forbidden", "1");
    client.flush().await;
    assert_eq!(client.link.stats().errors, 2);
    assert!(client.losses().is_empty());
}

/// Logins that a test changes.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<Auth>>>);

impl Shelf {
    fn put(&self, logins: Vec<Auth>) {
        *self.0.lock().unwrap() = logins;
    }

    fn options(&self, server: &Server) -> Options {
        let logins = self.clone();
        Options {
            logins: Logins::new(move || Ok(logins.0.lock().unwrap().clone())),
            ..options(&[&server.url()])
        }
    }
}

fn creds(operator: &Operator, seconds: u64) -> Auth {
    Auth::parse(&operator.creds_for(seconds)).unwrap()
}

#[tokio::test]
async fn a_login_that_is_replaced_in_time_is_used_before_the_server_ends_the_old_one() {
    let operator = Operator::new();
    let server = server(&operator.config()).await;
    let shelf = Shelf::default();
    shelf.put(vec![creds(&operator, 12)]);
    let client = Client::connected(shelf.options(&server)).await;
    client.link.subscribe("a");
    shelf.put(vec![creds(&operator, 3_600)]);
    client.connections(2).await;
    assert_eq!(
        client.losses(),
        ["another connection takes its place, before the server or the login ends"]
    );
    client.flush().await;
    assert!(!server.log().contains("expired"));
}

#[tokio::test]
async fn a_login_that_was_replaced_too_late_is_used_with_the_next_connection() {
    let operator = Operator::new();
    let server = server(&operator.config()).await;
    let shelf = Shelf::default();
    shelf.put(vec![creds(&operator, 3)]);
    let client = Client::connected(shelf.options(&server)).await;
    until("the login expires", async || !client.losses().is_empty()).await;
    shelf.put(vec![creds(&operator, 3_600)]);
    client.connections(2).await;
    client.flush().await;
}

#[tokio::test]
async fn where_a_server_refuses_a_login_the_next_one_is_tried() {
    let server = server(USER).await;
    let shelf = Shelf::default();
    shelf.put(vec![ann("new"), ann("s3cret")]);
    Client::connected(shelf.options(&server)).await;
}

#[tokio::test]
async fn an_nkey_signs_what_the_server_asks() {
    let key = nkeys::KeyPair::new_user();
    let users = format!(
        "authorization {{ users: [ {{ nkey: {} }} ] }}",
        key.public_key()
    );
    let server = server(&users).await;
    let auth = Auth::parse(&key.seed().unwrap()).unwrap();
    let client = Client::connected(with_auth(&[&server.url()], auth)).await;
    client.flush().await;
}
