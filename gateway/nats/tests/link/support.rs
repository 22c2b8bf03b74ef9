//! A link whose every event is recorded.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use sluice_nats::{
    Packet,
    link::{Auth, Handler, Link, NO_HEADERS, Options, ServerInfo, link},
};
use sluice_test_nats::{Server, Settings, until};

/// What happened on a link.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Connected(ServerInfo),
    LameDuck,
    Disconnected(String),
    Message(Packet),
}

#[derive(Default)]
struct Recorded {
    events: Mutex<Vec<Event>>,
    full: AtomicBool,
}

/// A handler that records.
struct Recorder(Arc<Recorded>);

impl Recorder {
    fn push(&self, event: Event) {
        self.0.events.lock().unwrap().push(event);
    }
}

impl Handler for Recorder {
    fn connected(&mut self, server: &ServerInfo) {
        self.push(Event::Connected(server.clone()));
    }

    fn lame_duck(&mut self) {
        self.push(Event::LameDuck);
    }

    fn disconnected(&mut self, why: &str) {
        self.push(Event::Disconnected(why.to_owned()));
    }

    fn message(&mut self, message: Packet) {
        self.push(Event::Message(message));
    }

    fn is_full(&self) -> bool {
        self.0.full.load(Relaxed)
    }
}

/// A link and what happened on it.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) link: Link,
    recorded: Arc<Recorded>,
}

/// A server without anything, and its URL in options.
pub(crate) async fn plain() -> (Server, Options) {
    let server = Server::start(Settings::default()).await;
    let options = options(&[&server.url()]);
    (server, options)
}

/// A server, and two links to it.
pub(crate) async fn pair() -> (Server, Client, Client) {
    let (server, options) = plain().await;
    let (a, b) = two(options).await;
    (server, a, b)
}

/// Two links alike.
pub(crate) async fn two(options: Options) -> (Client, Client) {
    let other = Client::connected(options.clone()).await;
    (Client::connected(options).await, other)
}

pub(crate) fn options(urls: &[&str]) -> Options {
    let urls = urls.iter().map(|url| url.parse().unwrap()).collect();
    Options {
        ping_interval: Duration::from_millis(500),
        ..Options::new(urls, "test")
    }
}

pub(crate) fn with_auth(urls: &[&str], auth: Auth) -> Options {
    Options {
        logins: auth.into(),
        ..options(urls)
    }
}

impl Client {
    pub(crate) fn start(options: Options) -> Self {
        let (link, task) = link(options).unwrap();
        let recorded = Arc::new(Recorded::default());
        tokio::spawn(task.run(Recorder(Arc::clone(&recorded))));
        Self { link, recorded }
    }

    /// A link that is connected.
    pub(crate) async fn connected(options: Options) -> Self {
        let client = Self::start(options);
        client.connections(1).await;
        client
    }

    /// Waits for the connection of this number.
    pub(crate) async fn connections(&self, count: usize) {
        let what = format!("the link connects for the {count}. time");
        until(&what, async || self.servers().len() >= count).await;
    }

    pub(crate) fn set_full(&self, full: bool) {
        self.recorded.full.store(full, Relaxed);
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.recorded.events.lock().unwrap().clone()
    }

    /// The servers that it was connected to.
    pub(crate) fn servers(&self) -> Vec<ServerInfo> {
        let events = self.events().into_iter();
        let servers = events.filter_map(|event| match event {
            Event::Connected(info) => Some(info),
            _ => None,
        });
        servers.collect()
    }

    /// Why it was disconnected.
    pub(crate) fn losses(&self) -> Vec<String> {
        let events = self.events().into_iter();
        let losses = events.filter_map(|event| match event {
            Event::Disconnected(why) => Some(why),
            _ => None,
        });
        losses.collect()
    }

    pub(crate) fn messages(&self) -> Vec<Packet> {
        let events = self.events().into_iter();
        let messages = events.filter_map(|event| match event {
            Event::Message(packet) => Some(packet),
            _ => None,
        });
        messages.collect()
    }

    pub(crate) fn payloads(&self) -> Vec<String> {
        let messages = self.messages().into_iter();
        let texts = messages.map(|packet| String::from_utf8_lossy(&packet.payload).into_owned());
        texts.collect()
    }

    /// Waits until so many messages came.
    pub(crate) async fn received(&self, count: usize) -> Vec<Packet> {
        let what = format!("{count} messages come");
        until(&what, async || self.messages().len() >= count).await;
        self.messages()
    }

    pub(crate) fn send(&self, subject: &str, payload: &str) {
        let sent = self
            .link
            .publish(subject, None, NO_HEADERS, payload.as_bytes());
        sent.unwrap();
    }

    /// Asks something that nobody answers, and waits for the server's word that it is so: all that
    /// was sent before has arrived there.
    pub(crate) async fn flush(&self) {
        let inbox = format!("_INBOX.{:x}", rand::random::<u64>());
        self.link.subscribe(&inbox);
        let asked = self
            .link
            .publish("nobody.listens", Some(&inbox), NO_HEADERS, b"");
        asked.unwrap();
        until("the server answers", async || {
            let messages = self.messages();
            messages.iter().any(|packet| packet.subject() == inbox)
        })
        .await;
        self.link.unsubscribe(&inbox);
    }
}
