//! What NATS servers work by: a file that everybody may read, and one with who may connect.

use sluice_contract::{Names, token};
use sluice_crds::cluster::ManagedNats;

use super::{CLIENTS, Keys, MONITOR, ROUTES, application_user};
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
pub(super) fn servers(wanted: &ManagedNats, payload: usize, lame_duck: u32) -> String {
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
  max_memory_store: 0
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
    let (prefix, bucket) = (names.prefix(), names.bucket());
    let Keys {
        gateway,
        operator,
        backend,
        ..
    } = keys;
    let applications: String = keys
        .applications
        .iter()
        .map(|(name, password)| application(prefix, name, password))
        .collect();
    format!(
        r#"FLEET = {{
  publish: ["{prefix}.>", "_INBOX.>", "$JS.API.>", "$JS.FC.>", "$KV.{bucket}.>"]
  subscribe: ["{prefix}.>", "_INBOX.>", "$SRV.>", "$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.>"]
}}
BACKEND = {{
  publish: ["{prefix}.api.>", "_INBOX.>", "$SRV.>"]
  subscribe: ["{prefix}.up.>", "{prefix}.connect.>", "{prefix}.disconnected.>", "_INBOX.>"]
}}
authorization {{
  users = [
    {{user: gateway, password: "{gateway}", permissions: $FLEET}}
    {{user: operator, password: "{operator}", permissions: $FLEET}}
    {{user: backend, password: "{backend}", permissions: $BACKEND}}
{applications}  ]
}}
"#
    )
}

/// What the instances of an application may do: no more than the application protocol needs, which
/// has neither inboxes nor `JetStream`.
fn application(prefix: &str, name: &str, password: &str) -> String {
    let (user, own) = (
        application_user(name),
        format!("{prefix}.app.{}", token(name)),
    );
    format!(
        r#"    {{user: "{user}", password: "{password}", permissions: {{
      publish: ["{own}.beat.i", "{own}.from.*", "{own}.peers", "{own}.peer.*"]
      subscribe: ["{own}.beat.i", "{own}.beat.g", "{own}.to.*", "{own}.peers", "{own}.peer.*"]
    }}}}
"#
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
