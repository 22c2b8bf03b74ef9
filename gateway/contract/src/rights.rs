//! What each of those who connect to a cluster's NATS servers may do there: this, and nothing else.
//!
//! The operator gives these rights to the logins that it makes, and the documentation lists them.

use std::fmt;

use crate::{Names, token};

/// How long somebody who was asked may take to answer.
const ANSWER_WITHIN: &str = "5m";

/// What a login is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role<'a> {
    /// A gateway. Where the operator has no login of its own, it uses the gateways'.
    Gateway,
    /// The operator.
    Operator,
    /// A backend: it answers events and calls the server API.
    Backend,
    /// An instance of the application of this name.
    Application(&'a str),
}

impl Role<'_> {
    /// What the role is called among the inboxes. Applications have none.
    const fn inbox(self) -> Option<&'static str> {
        match self {
            Self::Gateway => Some("gateway"),
            Self::Operator => Some("operator"),
            Self::Backend => Some("backend"),
            Self::Application(_) => None,
        }
    }
}

impl Names {
    /// What the inboxes of a role begin with, without a dot at the end; an application has none. No
    /// two roles share any, so that nobody reads what another one asked for.
    pub fn inbox(&self, role: Role<'_>) -> Option<String> {
        let role = role.inbox()?;
        Some(format!("_INBOX.{}.{role}", self.prefix()))
    }

    /// Where answers to a role go.
    fn answers(&self, role: Role<'_>) -> Option<String> {
        self.inbox(role).map(|inbox| format!("{inbox}.>"))
    }

    /// Where the servers tell that a stream of the cluster has another leader.
    pub fn elected(&self, stream: &str) -> String {
        format!("$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.{stream}")
    }
}

/// What a login may do. Shown as the configuration of nats-server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Where it may publish.
    pub publish: Vec<String>,
    /// What it may subscribe to.
    pub subscribe: Vec<String>,
    /// Whether it may answer who asks it, once for each question, wherever the answer is to go.
    pub answers: bool,
}

impl Rights {
    /// The rights of a role in the cluster of these names.
    pub fn of(role: Role<'_>, names: &Names) -> Self {
        match role {
            Role::Gateway => gateway(names),
            Role::Operator => operator(names),
            Role::Backend => backend(names),
            Role::Application(name) => application(names, name),
        }
    }
}

fn gateway(names: &Names) -> Rights {
    let all = format!("{}.>", names.prefix());
    let mut publish = vec![all.clone()];
    for stream in [names.rooms_stream(), names.sessions_stream()] {
        publish.extend(on_stream(
            &stream,
            &[
                "STREAM.INFO",
                "STREAM.CREATE",
                "STREAM.UPDATE",
                "STREAM.PURGE",
                "STREAM.MSG.GET",
                "DIRECT.GET",
            ],
        ));
    }
    publish.extend(on_bucket(names));
    publish.push(format!("$KV.{}.>", names.bucket()));
    let stream = bucket_stream(names);
    publish.push(format!("$JS.API.CONSUMER.CREATE.{stream}"));
    for request in ["CONSUMER.CREATE", "CONSUMER.INFO", "CONSUMER.DELETE"] {
        publish.push(format!("$JS.API.{request}.{stream}.>"));
    }
    publish.push(format!("$JS.FC.{stream}.>"));
    let mut subscribe = vec![all];
    subscribe.extend(names.answers(Role::Gateway));
    subscribe.push(names.elected(&names.rooms_stream()));
    // By these tools find the server API.
    let services = ["$SRV.*", "$SRV.*.sluice-api", "$SRV.*.sluice-api.*"];
    subscribe.extend(services.map(str::to_owned));
    Rights {
        publish,
        subscribe,
        answers: true,
    }
}

fn operator(names: &Names) -> Rights {
    let mut publish = vec![names.operation("fleet")];
    let rooms = names.rooms_stream();
    publish.extend(on_stream(&rooms, &["STREAM.INFO", "STREAM.PURGE"]));
    publish.extend(on_bucket(names));
    for key in ["policy", "wire"] {
        publish.push(format!("$KV.{}.{key}", names.bucket()));
    }
    let mut subscribe = vec![names.heartbeats()];
    subscribe.extend(names.answers(Role::Operator));
    Rights {
        publish,
        subscribe,
        answers: false,
    }
}

fn backend(names: &Names) -> Rights {
    let prefix = names.prefix();
    let asked = ["up", "connect", "disconnected"];
    let mut subscribe: Vec<_> = asked.map(|kind| format!("{prefix}.{kind}.>")).into();
    subscribe.extend(names.answers(Role::Backend));
    Rights {
        publish: vec![format!("{}.>", names.api()), "$SRV.>".to_owned()],
        subscribe,
        answers: true,
    }
}

/// No more than the application protocol needs, which has neither inboxes nor `JetStream`.
fn application(names: &Names, name: &str) -> Rights {
    let own = format!("{}.app.{}", names.prefix(), token(name));
    let of = |kinds: &[&str]| kinds.iter().map(|kind| format!("{own}.{kind}")).collect();
    Rights {
        publish: of(&["beat.i", "from.*", "peers", "peer.*"]),
        subscribe: of(&["beat.i", "beat.g", "to.*", "peers", "peer.*"]),
        answers: false,
    }
}

fn on_stream(stream: &str, requests: &[&str]) -> Vec<String> {
    let all = requests.iter();
    all.map(|request| format!("$JS.API.{request}.{stream}"))
        .collect()
}

/// The stream that is behind the bucket.
fn bucket_stream(names: &Names) -> String {
    format!("KV_{}", names.bucket())
}

/// What the servers can do, which is asked before the bucket is made. It tells how much the account
/// holds, and of no stream what is in it.
const ACCOUNT: &str = "$JS.API.INFO";

/// What it takes to make the bucket and to read its entries.
fn on_bucket(names: &Names) -> Vec<String> {
    let stream = bucket_stream(names);
    let mut all = vec![ACCOUNT.to_owned()];
    all.extend(on_stream(&stream, &["STREAM.INFO", "STREAM.CREATE"]));
    all.push(format!("$JS.API.DIRECT.GET.{stream}.>"));
    all
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{\n")?;
        for (what, subjects) in [("publish", &self.publish), ("subscribe", &self.subscribe)] {
            writeln!(f, "  {what}: [")?;
            for subject in subjects {
                writeln!(f, "    \"{subject}\"")?;
            }
            f.write_str("  ]\n")?;
        }
        if self.answers {
            writeln!(
                f,
                "  allow_responses: {{max: 1, expires: \"{ANSWER_WITHIN}\"}}"
            )?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role<'_>; 4] = [
        Role::Gateway,
        Role::Operator,
        Role::Backend,
        Role::Application("chat"),
    ];

    #[test]
    fn every_right_names_the_cluster_that_it_is_for() {
        let names = Names::new("prod", "chat");
        for role in ROLES {
            let rights = Rights::of(role, &names);
            let mut all = rights.publish.iter().chain(&rights.subscribe);
            let foreign = all.find(|it| {
                !it.contains("sluice.prod.chat")
                    && !it.contains("SLUICE_prod_chat_")
                    && !it.starts_with("$SRV.")
                    && *it != ACCOUNT
            });
            assert_eq!(foreign, None, "{role:?}");
        }
    }

    #[test]
    fn no_role_hears_what_another_one_is_answered() {
        let names = Names::new("prod", "chat");
        let inboxes: Vec<_> = ROLES.iter().filter_map(|role| names.inbox(*role)).collect();
        for role in ROLES {
            let own = names.inbox(role);
            for right in Rights::of(role, &names).subscribe {
                let heard = inboxes
                    .iter()
                    .find(|inbox| right.starts_with(inbox.as_str()));
                assert_eq!(heard.cloned(), own.clone().filter(|_| heard.is_some()));
                assert!(right.starts_with("_INBOX.sluice.") || !right.starts_with("_INBOX"));
            }
        }
    }
}
