//! What NATS servers work by: a file that everybody may read, and one with who may connect.

use std::fmt::Display;

use sluice_contract::{Names, Rights, Role};
use sluice_crds::{Durability, cluster::ManagedNats};

use super::{
    CLIENTS, Keys, MONITOR, ROUTES,
    keys::{self, application_user},
};
use crate::{plan::Cluster, quantity};

/// The file that everybody may read.
pub(super) const FILE: &str = "nats.conf";

/// The file with who may connect.
pub(super) const ACCESS: &str = "access.conf";

/// How much of the disk messages may take: the rest is for what the server notes beside them.
const OF_DISK: f64 = 0.9;

/// The most bytes of a message, whatever clients may send: documents of many Rooms are one message.
const PAYLOAD: usize = 8 << 20;

/// The most that NATS servers can be told to take.
const MOST: usize = 64 << 20;

/// `payload` is the most bytes of a message that clients' limits ask for.
#[expect(clippy::cast_sign_loss, reason = "a size is never negative")]
pub(super) fn servers(
    wanted: &ManagedNats,
    payload: usize,
    lame_duck: u32,
    durability: Durability,
) -> String {
    let sync = match durability {
        Durability::Disk => "\n  # What is acknowledged is on the disk.\n  sync_interval: always",
        Durability::Quorum => "",
    };
    let payload = if payload <= PAYLOAD {
        "8MB".to_owned()
    } else {
        payload.min(MOST).to_string()
    };
    let bytes = quantity::parse(&wanted.storage.0).unwrap_or_default();
    let store = (bytes * OF_DISK) as u64;
    format!(
        "server_name: $SERVER_NAME
port: {CLIENTS}
http: {MONITOR}
# Documents of many Rooms are one message.
max_payload: {payload}
# Who says nothing is given up after six seconds; until then it gets its share of all requests, and
# answers none.
ping_interval: 2s
ping_max: 2
lame_duck_grace_period: 5s
lame_duck_duration: {lame_duck}s
jetstream {{
  store_dir: /data
  max_file_store: {store}
  max_memory_store: 0{sync}
}}
include ../nats-access/{ACCESS}
"
    )
}

pub(super) fn access(cluster: &Cluster, replicas: u32, keys: &Keys) -> String {
    let names = Names::new(&cluster.namespace, &cluster.name);
    let mut text = users(&names, keys);
    if replicas > 1 {
        text.push_str(&routes(cluster, replicas, keys));
    }
    text
}

fn users(names: &Names, keys: &Keys) -> String {
    let mut users = String::new();
    for (name, role, password) in [
        (keys::GATEWAY, Role::Gateway, &keys.gateway),
        (keys::OPERATOR, Role::Operator, &keys.operator),
        (keys::BACKEND, Role::Backend, &keys.backend),
    ] {
        users.push_str(&user(name, password, &Rights::of(role, names)));
    }
    for (name, password) in &keys.applications {
        let rights = Rights::of(Role::Application(name), names);
        users.push_str(&user(&application_user(name), password, &rights));
    }
    for (name, password) in &keys.former {
        users.push_str(&user(name, password, &former(name, names)));
    }
    format!("authorization {{\n  users = [\n{users}  ]\n}}\n")
}

fn user(name: &str, password: &str, permissions: &impl Display) -> String {
    let permissions = permissions.to_string().replace('\n', "\n    ");
    format!("    {{user: \"{name}\", password: \"{password}\", permissions: {permissions}}}\n")
}

/// What logins of 0.1.0 may do, whose inboxes are anybody's. Of what gateways and the operator are
/// answered, a backend hears nothing even so, and it answers nobody who has not asked.
fn former(user: &str, names: &Names) -> String {
    let (prefix, bucket) = (names.prefix(), names.bucket());
    if user != keys::FORMER_BACKEND {
        return format!(
            r#"{{
  publish: ["{prefix}.>", "_INBOX.>", "$JS.API.>", "$JS.FC.>", "$KV.{bucket}.>"]
  subscribe: ["{prefix}.>", "_INBOX.>", "$SRV.>", "$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.>"]
}}"#
        );
    }
    let Rights {
        publish, subscribe, ..
    } = Rights::of(Role::Backend, names);
    let others = [Role::Gateway, Role::Operator].map(|role| names.inbox(role));
    let others = others.iter().flatten().map(|inbox| format!("{inbox}.>"));
    let others: Vec<_> = others.collect();
    format!(
        r#"{{
  publish: {publish:?}
  subscribe: {{allow: {subscribe:?}, deny: {others:?}}}
  allow_responses: {{max: 1, expires: "5m"}}
}}"#,
        subscribe = [subscribe, vec!["_INBOX.>".to_owned()]].concat(),
    )
}

fn routes(cluster: &Cluster, replicas: u32, keys: &Keys) -> String {
    let (name, namespace) = (cluster.names().nats(), &cluster.namespace);
    let password = &keys.routes;
    let route = |n| {
        format!(
            "    \"nats-route://routes:{password}@{name}-{n}.{name}.{namespace}.svc:{ROUTES}\"\n"
        )
    };
    let all: String = (0..replicas).map(route).collect();
    format!(
        r#"cluster {{
  name: "{namespace}-{name}"
  port: {ROUTES}
  # Another server after ten: its answers may have to wait behind much else.
  ping_max: 4
  authorization {{user: routes, password: "{password}"}}
  routes = [
{all}  ]
}}
"#
    )
}
