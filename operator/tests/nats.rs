//! The NATS servers that are planned, as real ones: who may connect, and what each may do.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use async_nats::{Client, ConnectOptions};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::StreamExt as _;
use sluice_bucket::{Connection, Login};
use sluice_contract::{Names, Role, WireVersion};
use sluice_crds::{Source, load};
use sluice_nats::{link::Logins, streams};
use sluice_operator::{
    Kind,
    plan::{self, Apis, Cluster, Images, Inputs, Keys, NatsKeys, Planned},
};
use sluice_test_nats::{Folder, free_port, until};
use sluice_test_programs::program;
use tokio::time::timeout;

const CLUSTER: &str = "
apiVersion: sluice.dev/v1alpha1
kind: RealtimeCluster
metadata: {name: chat}
spec:
  auth: {required: false}
  backbone: {nats: {managed: {replicas: 1}}}
";

/// The plan for a cluster whose servers know these logins of 0.1.0.
fn planned_with(former: &[&str]) -> Vec<Planned> {
    let source = Source {
        name: "chat",
        text: CLUSTER,
    };
    let cluster = Cluster {
        name: "chat".to_owned(),
        namespace: "prod".to_owned(),
        uid: "u".to_owned(),
        spec: load(&[source]).unwrap().cluster.spec,
    };
    let key = |name: &str| format!("k{name}password");
    let keys = Keys {
        operator: String::new(),
        nats: NatsKeys {
            gateway: key("gateway"),
            operator: key("operator"),
            backend: key("backend"),
            routes: key("routes"),
            applications: ["chat", "admin"]
                .map(|name| (name.to_owned(), key(name)))
                .into(),
            former_applications: [("old".to_owned(), key("old"))].into(),
            former: former
                .iter()
                .map(|name| ((*name).to_owned(), key(name)))
                .collect::<BTreeMap<_, _>>(),
        },
    };
    let images = Images {
        gateway: String::new(),
        nats: String::new(),
    };
    plan::plan(&Inputs {
        cluster: &cluster,
        documents: "",
        keys: &keys,
        images: &images,
        apis: Apis::default(),
        operator_namespace: "",
        durability: None,
    })
}

fn planned() -> Vec<Planned> {
    planned_with(&[])
}

fn find<'a>(planned: &'a [Planned], kind: Kind, name: &str) -> &'a Planned {
    let found = planned.iter().find(|it| it.kind == kind && it.name == name);
    found.unwrap()
}

fn secret(planned: &[Planned], name: &str, key: &str) -> String {
    let value = &find(planned, Kind::Secret, name).value["data"][key];
    String::from_utf8(BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap()
}

/// A server that runs by the plan, but for its ports and its disk.
struct Server {
    process: Child,
    port: u16,
    _folder: Folder,
}

impl Server {
    fn start(planned: &[Planned]) -> Self {
        let (folder, port) = (Folder::new(), free_port());
        let put = |path: &str, text: String| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let config = &find(planned, Kind::ConfigMap, "chat-nats").value["data"]["nats.conf"];
        let config = config.as_str().unwrap();
        put("nats/nats.conf", local(config, port, folder.path()));
        put(
            "nats-access/access.conf",
            secret(planned, "chat-nats-servers", "access.conf"),
        );
        let process = Command::new(program("nats-server"))
            .arg("--config")
            .arg(folder.path().join("nats/nats.conf"))
            .arg("--pid")
            .arg(folder.path().join("nats.pid"))
            .env("SERVER_NAME", "chat-nats-0")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            process,
            port,
            _folder: folder,
        }
    }

    /// The URL in a login's Secret, for this machine.
    fn url(&self, login: &str) -> String {
        let place = "chat-nats-0.chat-nats.prod.svc:4222";
        assert!(login.ends_with(place), "{login}");
        login.replace(place, &format!("127.0.0.1:{}", self.port))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn local(config: &str, port: u16, folder: &Path) -> String {
    let config = config.replace("port: 4222", &format!("host: 127.0.0.1\nport: {port}"));
    let config = config.replace("http: 8222", "");
    config.replace("/data", &folder.join("data").display().to_string())
}

/// Where a client connects, and who it is.
type Who = (String, String, String);

/// What nobody may publish to.
const NOBODYS: &str = "nobody.may.publish.here";

/// What a client asks of a server.
#[derive(Debug, Clone, Copy)]
enum Ask<'a> {
    Publish(&'a str),
    Subscribe(&'a str),
}

/// What the server says to a client that publishes: nothing, if it may.
async fn refusal(who: &Who, subject: &str) -> Option<String> {
    refusal_of(who, Ask::Publish(subject)).await
}

/// What the server says to a client that asks for something: nothing, if it may.
async fn refusal_of((url, user, password): &Who, ask: Ask<'_>) -> Option<String> {
    let (told, mut heard) = tokio::sync::mpsc::channel(8);
    let options = ConnectOptions::with_user_and_password(user.clone(), password.clone());
    let options = options.event_callback(move |event| {
        let told = told.clone();
        async move {
            let _ = told.send(event.to_string()).await;
        }
    });
    let client: Client = options.connect(url).await.unwrap();
    let subscribed = match ask {
        Ask::Publish(subject) => {
            let published = client.publish(subject.to_owned(), "x".into()).await;
            published.unwrap();
            None
        }
        Ask::Subscribe(subject) => Some(client.subscribe(subject.to_owned()).await.unwrap()),
    };
    // Refusals come in the order of what was asked.
    let published = client.publish(NOBODYS, "x".into()).await;
    published.unwrap();
    client.flush().await.unwrap();
    loop {
        let event = timeout(Duration::from_mins(1), heard.recv()).await;
        let event = event.unwrap().unwrap();
        if event.contains(NOBODYS) {
            drop(subscribed);
            return None;
        }
        if event.contains("ermissions") {
            return Some(event);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn planned_servers_let_everybody_do_what_they_are_for_and_no_more() {
    let planned = planned();
    let server = Server::start(&planned);
    let login = |user: &str| server.url(&secret(&planned, &format!("chat-nats-{user}"), "url"));
    let names = Names::new("prod", "chat");
    let operator = Login {
        urls: login("operator"),
        logins: Logins::default(),
        certificates: None,
        name: "operator".to_owned(),
        role: Role::Operator,
    };
    let operator = Connection::open(&operator, names.clone()).await.unwrap();
    until("the server takes clients", async || operator.is_connected()).await;
    // As gateways make their streams.
    let nobody = format!("nats://127.0.0.1:{}", server.port);
    let who = |user: &str| -> Who {
        let text = |key: &str| secret(&planned, &format!("chat-nats-{user}"), key);
        (nobody.clone(), text("user"), text("password"))
    };
    let (url, user, password) = who("gateway");
    let options = ConnectOptions::with_user_and_password(user, password);
    let inbox = names.inbox(Role::Gateway).unwrap();
    let gateway = options
        .custom_inbox_prefix(inbox)
        .connect(url)
        .await
        .unwrap();
    store(&gateway, &names).await;
    give_and_purge(&operator).await;
    // As backends answer events and call the server API, and how answers come back.
    let (url, user, password) = who("backend");
    let options = ConnectOptions::with_user_and_password(user, password);
    let inbox = names.inbox(Role::Backend).unwrap();
    let backend = options
        .custom_inbox_prefix(inbox)
        .connect(url)
        .await
        .unwrap();
    ask(&gateway, &backend, &names.event("/", "order")).await;
    ask(&backend, &gateway, &names.operation("publish")).await;
    for (role, forbidden) in forbidden() {
        for what in forbidden {
            let refused = refusal_of(&who(role), what).await;
            assert!(refused.is_some(), "{role} may do {what:?}");
        }
    }
    assert!(async_nats::connect(nobody).await.is_err());
}

/// What gateways do with the streams.
async fn store(gateway: &Client, names: &Names) {
    let wanted = streams::Wanted {
        replicas: 1,
        messages_per_room: 10,
        max_age: Duration::from_hours(1),
    };
    streams::ensure(gateway, names, &wanted).await.unwrap();
    let jetstream = async_nats::jetstream::new(gateway.clone());
    let published = jetstream.publish(names.stored("=2F.a"), "x".into()).await;
    published.unwrap().await.unwrap();
}

/// What the operator does: it gives documents, says what is finalised, and deletes histories.
async fn give_and_purge(operator: &Connection) {
    let revision = operator.push("documents".to_owned()).await.unwrap();
    let pushed = operator.pushed().await.unwrap().unwrap();
    assert_eq!(
        (pushed.revision, pushed.text.as_str()),
        (revision, "documents")
    );
    let finalised = operator.finalise(WireVersion(2)).await.unwrap();
    assert_eq!(finalised, WireVersion(2));
    let purged = operator.purge("/", |room| room == "a").await;
    assert_eq!(purged.unwrap(), 1);
}

/// The server has seen all that a client asked of it before: it says that nobody answers.
async fn settled(client: &Client) {
    let nobody = Names::new("prod", "chat").operation("nobody");
    let asked = timeout(Duration::from_mins(1), client.request(nobody, "".into())).await;
    // What may not be asked is not answered.
    let _ = asked.unwrap();
}

/// One asks and the other one answers, once.
async fn ask(one: &Client, other: &Client, subject: &str) {
    let mut asked = other.subscribe(subject.to_owned()).await.unwrap();
    settled(other).await;
    let answering = async {
        let request = asked.next().await.unwrap();
        let answer = other.publish(request.reply.unwrap(), "yes".into());
        answer.await.unwrap();
    };
    let asking = one.request(subject.to_owned(), "?".into());
    let (answer, ()) = tokio::join!(asking, answering);
    assert_eq!(answer.unwrap().payload, "yes");
}

/// What each role has no business with, in the cluster `chat` of `prod` on servers that the cluster
/// `game` might share.
fn forbidden() -> [(&'static str, Vec<Ask<'static>>); 3] {
    use Ask::{Publish, Subscribe};
    let everybody = [
        Publish("_INBOX.a"),
        Publish("_INBOX.sluice.prod.chat.gateway.a.1"),
        Publish("$JS.API.STREAM.DELETE.SLUICE_prod_chat_ROOMS"),
        Publish("$JS.API.STREAM.LIST"),
        Publish("$JS.API.STREAM.PURGE.SLUICE_prod_game_ROOMS"),
        Publish("$JS.API.STREAM.MSG.GET.SLUICE_prod_game_ROOMS"),
        Publish("$JS.API.DIRECT.GET.SLUICE_prod_game_ROOMS"),
        Publish("$JS.API.CONSUMER.CREATE.SLUICE_prod_chat_ROOMS.a"),
        Publish("$JS.API.CONSUMER.CREATE.SLUICE_prod_game_ROOMS.a"),
        Publish("$KV.SLUICE_prod_game_CONTROL.policy"),
        Publish("sluice.prod.game.api.publish"),
        Publish("somewhere.else"),
        Subscribe("_INBOX.>"),
        Subscribe(">"),
        Subscribe("sluice.>"),
        Subscribe("sluice.prod.game.out.>"),
        Subscribe("$JS.API.>"),
        Subscribe("$SYS.>"),
    ];
    let all = |own: &[Ask<'static>]| everybody.iter().chain(own).copied().collect();
    let gateway = [
        Subscribe("_INBOX.sluice.prod.chat.backend.>"),
        Subscribe("_INBOX.sluice.prod.chat.operator.>"),
        Subscribe("$SRV.PING.another"),
    ];
    let operator = [
        Publish("sluice.prod.chat.api.publish"),
        Publish("sluice.prod.chat.cmd"),
        Publish("sluice.prod.chat.in.=2F.a"),
        Publish("$JS.API.STREAM.MSG.GET.SLUICE_prod_chat_SESSIONS"),
        Publish("$JS.API.DIRECT.GET.SLUICE_prod_chat_ROOMS"),
        Publish("$KV.SLUICE_prod_chat_CONTROL.revoked.user.ann"),
        Subscribe("sluice.prod.chat.up.>"),
        Subscribe("_INBOX.sluice.prod.chat.gateway.>"),
    ];
    let backend = [
        Publish("sluice.prod.chat.in.=2F.a"),
        Publish("sluice.prod.chat.fleet"),
        Publish("$JS.API.DIRECT.GET.SLUICE_prod_chat_ROOMS"),
        Publish("$KV.SLUICE_prod_chat_CONTROL.policy"),
        Subscribe("sluice.prod.chat.out.>"),
        Subscribe("sluice.prod.chat.api.>"),
        Subscribe("_INBOX.sluice.prod.chat.gateway.>"),
    ];
    [
        ("gateway", all(&gateway)),
        ("operator", all(&operator)),
        ("backend", all(&backend)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_of_an_earlier_version_still_work_beside_new_ones_and_hear_nothing_of_theirs() {
    let planned = planned_with(&["gateway", "operator", "backend"]);
    let server = Server::start(&planned);
    let here = format!("nats://127.0.0.1:{}", server.port);
    let names = Names::new("prod", "chat");
    let connect = |user: &str, password: String, role: Option<Role<'_>>| {
        let options = ConnectOptions::with_user_and_password(user.to_owned(), password);
        let inbox = role.and_then(|role| names.inbox(role));
        let inbox = inbox.unwrap_or_else(|| "_INBOX".to_owned());
        options.custom_inbox_prefix(inbox).connect(here.clone())
    };
    let key = |user: &str| format!("k{user}password");
    until("the server takes clients", async || {
        connect("gateway", key("gateway"), None).await.is_ok()
    })
    .await;
    // Gateways and backends of 0.1.0 know the first two keys of their Secrets.
    for (name, user) in [("gateway", "gateway"), ("backend", "backend")] {
        let text = |key: &str| secret(&planned, &format!("chat-nats-{name}"), key);
        assert_eq!(text("user"), user);
        assert_eq!(text("password"), key(user));
    }
    let login = secret(&planned, "chat-nats-gateway", "login");
    let (user, password) = login.split_once(':').unwrap();
    let gateway = connect(user, password.to_owned(), Some(Role::Gateway));
    let gateway = gateway.await.unwrap();
    let old_gateway = connect("gateway", key("gateway"), None).await.unwrap();
    let backend = connect("backend", key("backend"), None).await.unwrap();
    for gateway in [&gateway, &old_gateway] {
        ask(gateway, &backend, &names.event("/", "order")).await;
        ask(&backend, gateway, &names.operation("publish")).await;
    }
    ask(&gateway, &old_gateway, &names.commands()).await;
    ask(&old_gateway, &gateway, &names.heartbeats()).await;
    let mut heard = backend.subscribe("_INBOX.>").await.unwrap();
    settled(&backend).await;
    ask(&gateway, &old_gateway, &names.commands()).await;
    old_gateway.publish("_INBOX.end", "".into()).await.unwrap();
    old_gateway.flush().await.unwrap();
    loop {
        let message = heard.next().await.unwrap();
        assert!(!message.subject.starts_with("_INBOX.sluice."));
        if message.subject.as_str() == "_INBOX.end" {
            break;
        }
    }
    let who: Who = (here.clone(), "backend".to_owned(), key("backend"));
    for subject in ["_INBOX.a", "_INBOX.sluice.prod.chat.gateway.a.1"] {
        assert!(refusal(&who, subject).await.is_some(), "{subject}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_may_do_what_its_protocol_needs_and_no_more() {
    let planned = planned();
    let server = Server::start(&planned);
    let login = |key: &str| secret(&planned, "chat-nats-app-chat", key);
    let here = format!("nats://127.0.0.1:{}", server.port);
    let chat: Who = (here.clone(), login("user"), login("password"));
    let own = "sluice.prod.chat.app.chat";
    until("the server takes clients", async || {
        let options = ConnectOptions::with_user_and_password(login("user"), login("password"));
        options.connect(&here).await.is_ok()
    })
    .await;
    for subject in ["beat.i", "from.0000000a", "peers", "peer.A"] {
        let ask = format!("{own}.{subject}");
        assert_eq!(refusal_of(&chat, Ask::Publish(&ask)).await, None, "{ask}");
    }
    for subject in ["beat.i", "beat.g", "to.A", "peers", "peer.A"] {
        let ask = format!("{own}.{subject}");
        assert_eq!(refusal_of(&chat, Ask::Subscribe(&ask)).await, None, "{ask}");
    }
    let other = "sluice.prod.chat.app.admin.from.0000000a";
    let (beat, to) = (format!("{own}.beat.g"), format!("{own}.to.A"));
    for ask in [
        &beat,
        &to,
        other,
        "sluice.prod.chat.api.publish",
        "_INBOX.a",
    ] {
        assert!(
            refusal_of(&chat, Ask::Publish(ask)).await.is_some(),
            "{ask}"
        );
    }
    let (from, all) = (format!("{own}.from.*"), format!("{own}.>"));
    for ask in [
        &from,
        &all,
        "sluice.prod.chat.app.*.to.*",
        "_INBOX.>",
        "sluice.prod.chat.out.>",
    ] {
        assert!(
            refusal_of(&chat, Ask::Subscribe(ask)).await.is_some(),
            "{ask}"
        );
    }
    // Gateways speak from the other side; an application that is gone has no login.
    let gateway = |key: &str| secret(&planned, "chat-nats-gateway", key);
    let gateway: Who = (here.clone(), gateway("user"), gateway("password"));
    assert_eq!(refusal_of(&gateway, Ask::Publish(&to)).await, None);
    assert_eq!(refusal_of(&gateway, Ask::Subscribe(&from)).await, None);
    assert!(!planned.iter().any(|it| it.name == "chat-nats-app-old"));
    let old = ConnectOptions::with_user_and_password("app-old".into(), "koldpassword".into());
    assert!(old.connect(here).await.is_err());
}
