//! Documents, and the snapshots they become.

use serde_json::json;
use sluice_crds::{Documents, Problem, Source, load};

use super::*;
use crate::regular::PatternBudget;
use crate::{AccessRule, Action, RuleError, SchemaProblem, Schemas, testing};

const NOW: u64 = 1_700_000_000;

fn documents(yaml: &str) -> Documents {
    load(&[Source {
        name: "chat.yaml",
        text: yaml,
    }])
    .unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn cluster(spec: &str) -> String {
    let secret = String::from_utf8(testing::SECRET.to_vec()).unwrap();
    format!(
        "apiVersion: sluice.dev/v1alpha1\nkind: RealtimeCluster\nmetadata: {{name: chat}}\nspec:\n  gateway: {{replicas: 1}}\n{spec}\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {{name: chat}}\nstringData: {{key: \"{secret}\", short: abc, empty: \"\"}}\n"
    )
}

fn room(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: sluice.dev/v1alpha1\nkind: Room\nmetadata: {{name: {name}}}\nspec:\n  clusterRef: {{name: chat}}\n{spec}\n"
    )
}

const WITH_KEY: &str = "  auth: {jwt: {keySecretRef: {name: chat, key: key}}}\n";

fn compile(yaml: &str, previous: Option<&Policy>) -> Result<Policy, Vec<Problem>> {
    let documents = documents(yaml);
    Policy::compile(&documents, &documents, previous)
}

fn identity(policy: &Policy, claims: &serde_json::Value) -> Identity {
    let mut all = json!({"sub": "7", "exp": NOW + 60});
    all.as_object_mut()
        .unwrap()
        .extend(claims.as_object().unwrap().clone());
    policy
        .auth
        .admit(Some(&testing::token(crate::Algorithm::HS256, &all)), NOW)
        .unwrap()
}

fn shown(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_snapshot_can_be_asked_from_every_worker() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Policy>();
}

#[test]
fn documents_become_what_they_say() {
    let yaml = cluster(&format!(
        "{WITH_KEY}  origins: [\"https://*.example.com\"]\n  limits: {{messagesPerSecond: 7, trustedProxies: [10.0.0.0/8]}}\n  \
         heartbeat: {{interval: 3s, timeout: 2s}}\n  recovery: {{window: 90s}}\n  namespaces: [/chat]\n  \
         drain: {{settle: 1s, window: 2s, deadline: 9s, connectionsPerSecond: 5}}"
    ));
    let policy = compile(&yaml, None).unwrap();
    assert_eq!(policy.generation, 1);
    assert_eq!(policy.limits.messages.events(), 7);
    assert!(
        policy
            .limits
            .trusted_proxies
            .contains("10.1.2.3".parse().unwrap())
    );
    assert_eq!(policy.heartbeat.interval, Duration::from_secs(3));
    assert_eq!(policy.recovery_window, Duration::from_secs(90));
    assert_eq!(policy.drain.deadline, Duration::from_secs(9));
    assert!(policy.namespaces.contains("/") && policy.namespaces.contains("/chat"));
    assert!(
        policy
            .origins
            .allows(Some("https://a.example.com"), None, None)
    );
    assert_eq!(&**identity(&policy, &json!({})).user(), "7");
    assert_eq!(policy.auth.admit(None, NOW), Err(AuthError::Missing));
}

#[test]
fn the_designs_room_lets_in_whom_it_says() {
    let yaml = cluster(WITH_KEY)
        + &room(
            "support",
            "  match: \"support-*\"\n  access: {join: \"'agent' in claims.roles || claims.sub == room.suffix\", publish: \"user == room.suffix\"}\n  \
             history: {maxMessages: 1000, maxAge: 24h}\n  schemas: {message: {type: object, required: [text]}}",
        );
    let policy = compile(&yaml, None).unwrap();
    let support = policy.room("/", "support-7").unwrap();
    let agent = identity(&policy, &json!({"sub": "anna", "roles": ["agent"]}));
    let customer = identity(&policy, &json!({"roles": []}));
    assert_eq!(support.may(Action::Join, &agent, "/", "support-7"), Ok(()));
    assert_eq!(
        support.may(Action::History, &agent, "/", "support-7"),
        Ok(())
    );
    assert!(
        support
            .may(Action::Publish, &agent, "/", "support-7")
            .is_err()
    );
    assert_eq!(
        support.may(Action::Publish, &customer, "/", "support-7"),
        Ok(())
    );
    assert!(
        support
            .may(Action::Join, &customer, "/", "support-8")
            .is_err()
    );
    assert_eq!(
        support.may(Action::Presence, &customer, "/", "support-8"),
        Ok(())
    );
    assert_eq!(support.history.unwrap().max_messages, Some(1000));
    let data = serde_json::value::RawValue::from_string("{}".to_owned()).unwrap();
    assert!(support.schemas.validate("message", &data).is_err());
}

#[test]
fn a_room_that_no_document_is_for_is_denied_or_open() {
    let closed = compile(&cluster(WITH_KEY), None).unwrap();
    assert!(closed.room("/", "lobby").is_none());
    let open = compile(
        &cluster(&format!(
            "{WITH_KEY}  rooms: {{default: Open}}\n  namespaces: [/chat]"
        )),
        None,
    )
    .unwrap();
    let lobby = open.room("/", "lobby").unwrap();
    assert!(Arc::ptr_eq(lobby, open.room("/chat", "other").unwrap()));
    assert_eq!(
        lobby.may(Action::Join, &Identity::anonymous(), "/", "lobby"),
        Ok(())
    );
    assert_eq!((lobby.limits.members, lobby.history), (10_000, None));
    assert!(open.room("/unlisted", "lobby").is_none());
}

#[test]
fn rooms_of_one_namespace_are_not_those_of_another() {
    let yaml = cluster(&format!("{WITH_KEY}  namespaces: [/chat]"))
        + &room("main", "  match: lobby")
        + &room("chat", "  namespace: /chat\n  match: lobby")
        + &room("all", "  match: \"*\"");
    let policy = compile(&yaml, None).unwrap();
    assert_eq!(&*policy.room("/", "lobby").unwrap().name, "main");
    assert_eq!(&*policy.room("/chat", "lobby").unwrap().name, "chat");
    assert_eq!(&*policy.room("/", "hall").unwrap().name, "all");
    assert!(policy.room("/chat", "hall").is_none());
}

#[test]
fn every_problem_is_found_and_names_its_document_and_field() {
    let yaml = cluster(
        "  auth: {jwt: {keySecretRef: {name: chat, key: short}}}\n  origins: [\"https://exämple.com\", \"https://a.b\"]\n  \
         backend: {webhook: {url: \"https://[x\", secretRef: {name: gone, key: key}}}",
    ) + &room(
        "one",
        "  match: a\n  access: {join: \"claims.x ==\", publish: \"claim.x\", history: \"nobody()\"}",
    ) + &room(
        "two",
        "  match: b\n  schemas: {m: {type: strin}, n: {$ref: \"#\"}}",
    );
    let problems = shown(&compile(&yaml, None).unwrap_err());
    for wanted in [
        "RealtimeCluster chat): spec.origins[0]: ",
        "RealtimeCluster chat): spec.auth.jwt.keySecretRef: the key short of the Secret chat: the shared secret is shorter",
        "RealtimeCluster chat): spec.backend.webhook.secretRef: there is no Secret gone with the key key",
        "RealtimeCluster chat): spec.backend.webhook.url: ",
        "Room one): spec.access.join: ",
        "Room one): spec.access.publish: `claim` is not known",
        "Room one): spec.access.history: there is no function `nobody`",
        "Room two): spec.schemas.m: `/type`",
        "Room two): spec.schemas.n: `#` leads back",
    ] {
        assert!(
            problems.iter().any(|problem| problem.contains(wanted)),
            "{wanted} in {problems:#?}"
        );
    }
    assert_eq!(problems.len(), 9, "{problems:#?}");
    assert!(
        !problems.iter().any(|problem| problem.contains("abc")),
        "{problems:#?}"
    );
}

#[test]
fn where_no_token_is_needed_one_that_is_sent_is_checked_all_the_same() {
    let policy = compile(
        &cluster("  auth: {required: false, jwt: {keySecretRef: {name: chat, key: key}}}"),
        None,
    )
    .unwrap();
    assert!(policy.auth.admit(None, NOW).unwrap().is_anonymous());
    assert_eq!(
        policy.auth.admit(Some("a.b.c"), NOW),
        Err(AuthError::Malformed)
    );
    let without_keys = compile(&cluster("  auth: {required: false}"), None).unwrap();
    assert!(
        without_keys
            .auth
            .admit(Some("a.b.c"), NOW)
            .unwrap()
            .is_anonymous()
    );
}

#[test]
fn what_has_not_changed_is_taken_over() {
    let rooms = || room("one", "  match: one") + &room("two", "  match: two");
    let spec = format!("{WITH_KEY}  rooms: {{default: Open}}");
    let first = compile(&(cluster(&spec) + &rooms()), None).unwrap();
    let second = compile(&(cluster(&spec) + &rooms()), Some(&first)).unwrap();
    assert_eq!(second.generation, 2);
    assert!(second.changes_from(&first).is_empty());
    assert!(Arc::ptr_eq(
        first.room("/", "one").unwrap(),
        second.room("/", "one").unwrap()
    ));
    assert!(Arc::ptr_eq(
        first.room("/", "x").unwrap(),
        second.room("/", "x").unwrap()
    ));
}

#[test]
fn a_change_is_named_and_those_that_need_a_restart_apart() {
    let first = cluster(&format!("{WITH_KEY}  rooms: {{default: Open}}"))
        + &room("one", "  match: one")
        + &room("two", "  match: two");
    let second = cluster(&format!(
        "{WITH_KEY}  limits: {{messagesPerSecond: 7}}\n  origins: [\"*\"]\n  tls: {{secretName: t}}\n  backbone: {{nats: {{managed: {{}}}}}}"
    )) + &room("two", "  match: two\n  limits: {members: 5}")
        + &room("three", "  match: three");
    let first = compile(&first, None).unwrap();
    let second = compile(&second, Some(&first)).unwrap();
    let changes = second.changes_from(&first);
    assert_eq!(changes.applied, ["origins", "limits", "rooms"]);
    assert_eq!(changes.restart_needed, ["tls", "backbone"]);
    assert_eq!(
        changes.to_string(),
        "changed: origins, limits, rooms; Rooms added: three; Rooms changed: two; Rooms removed: one; \
         only after a restart: tls, backbone"
    );
}

#[test]
fn a_changed_key_is_a_change_though_its_name_is_the_same() {
    let first = compile(&cluster(WITH_KEY), None).unwrap();
    let other = cluster(WITH_KEY).replace("a shared secret", "another secret");
    let second = compile(&other, Some(&first)).unwrap();
    assert_eq!(second.changes_from(&first).applied, ["auth"]);
    let old = testing::token(
        crate::Algorithm::HS256,
        &json!({"sub": "a", "exp": NOW + 1}),
    );
    assert_eq!(
        second.auth.admit(Some(&old), NOW),
        Err(AuthError::Signature)
    );
}

#[test]
fn published_keys_are_kept_while_their_address_is_the_same() {
    let spec = |more: &str| {
        cluster(&format!(
            "  auth: {{jwt: {{jwksUri: \"https://id.example.com/jwks\"{more}}}}}"
        ))
    };
    let first = compile(&spec(""), None).unwrap();
    let second = compile(&spec(", issuer: me"), Some(&first)).unwrap();
    let third = compile(&spec(", algorithms: [ES256]"), Some(&second)).unwrap();
    let jwks = |policy: &Policy| Arc::clone(policy.auth.tokens.as_ref().unwrap().jwks().unwrap());
    assert!(Arc::ptr_eq(&jwks(&first), &jwks(&second)));
    assert!(!Arc::ptr_eq(&jwks(&second), &jwks(&third)));
    assert_eq!(second.changes_from(&first).applied, ["auth"]);
}

#[test]
fn a_snapshot_shows_no_key() {
    let yaml = cluster(&format!(
        "{WITH_KEY}  backend: {{webhook: {{url: \"https://a.b\", secretRef: {{name: chat, key: key}}}}}}"
    ));
    let text = format!("{:?}", compile(&yaml, None).unwrap());
    assert!(!text.contains("long enough"), "{text}");
}

#[test]
fn the_regular_expressions_of_all_rooms_share_what_they_may_take() {
    let rule = |left: &mut PatternBudget| {
        AccessRule::compile_within(r"user.matches('^\\\\w{1,20}$')", left)
    };
    let mut whole = PatternBudget::of(1_000_000);
    assert!(rule(&mut whole).is_ok());
    let one = 1_000_000 - whole.left();
    let mut left = PatternBudget::of(one + one / 2);
    assert!(rule(&mut left).is_ok());
    assert_eq!(rule(&mut left).unwrap_err(), RuleError::AllPatternsTooLarge);
    assert!(AccessRule::compile_within("user.matches('^a+$')", &mut left).is_ok());
    let schema = json!({"properties": {"a": {"pattern": r"^\pL{1,20}$"}}});
    let schemas = [("message".to_owned(), schema.as_object().unwrap().clone())].into();
    let problems = Schemas::compile_within(&schemas, &mut left).unwrap_err();
    assert_eq!(problems[0].1, SchemaProblem::AllPatternsTooLarge);
}

fn with_applications(applications: &str) -> Result<Policy, Vec<Problem>> {
    let yaml = cluster(&format!(
        "{WITH_KEY}  backbone: {{nats: {{managed: {{}}}}}}\n  applications: {applications}\n  rooms: {{default: Open}}"
    ));
    compile(&yaml, None)
}

#[test]
fn a_namespace_belongs_to_the_application_that_names_it_or_how_it_begins() {
    let policy = with_applications(
        "[{name: chat, namespaces: [/, /chat]}, {name: admin, namespaces: [/admin-*, /a]}]",
    )
    .unwrap();
    for (namespace, application) in [
        ("/", Some("chat")),
        ("/chat", Some("chat")),
        ("/chats", None),
        ("/a", Some("admin")),
        ("/admin-", Some("admin")),
        ("/admin-7", Some("admin")),
        ("/admin", None),
        ("", None),
    ] {
        let found = policy.application_of(namespace).map(|name| &**name);
        assert_eq!(found, application, "{namespace}");
    }
    let names: Vec<_> = policy.applications().map(|name| &**name).collect();
    assert_eq!(names, ["chat", "admin"]);
}

#[test]
fn of_two_patterns_of_applications_the_longer_counts() {
    let application = |name: &str, pattern: &str| sluice_crds::cluster::Application {
        name: name.to_owned(),
        namespaces: vec![pattern.to_owned()],
        handshake: None,
        recovery: None,
        limits: sluice_crds::cluster::ApplicationLimits::default(),
    };
    let applications = applications::Applications::new(&[
        application("all", "/*"),
        application("admin", "/admin-*"),
        application("one", "/admin-1"),
    ]);
    for (namespace, name) in [("/", "all"), ("/admin-2", "admin"), ("/admin-1", "one")] {
        assert_eq!(applications.of(namespace).map(|name| &**name), Some(name));
    }
}

#[test]
fn the_namespaces_of_an_application_need_not_be_listed() {
    let policy = with_applications("[{name: admin, namespaces: [/admin-*]}]").unwrap();
    assert!(policy.has_namespace("/") && policy.has_namespace("/admin-7"));
    assert!(!policy.has_namespace("/chat"));
    assert!(policy.room("/admin-7", "lobby").is_some());
    assert!(policy.room("/chat", "lobby").is_none());
}

#[test]
fn an_application_is_told_what_it_names_of_a_handshake() {
    let policy = with_applications(
        "[{name: chat, namespaces: [/chat], handshake: {headers: [User-Agent], cookies: [Sid]}}, \
          {name: mute, namespaces: [/mute]}]",
    )
    .unwrap();
    let told = policy.application_handshake("chat").unwrap();
    assert_eq!(
        (&*told.headers[0], &*told.cookies[0]),
        ("user-agent", "Sid")
    );
    assert_eq!(policy.application_handshake("mute"), None);
    assert_eq!(policy.application_handshake("none"), None);
}

#[test]
fn a_changed_application_counts_at_once() {
    let one = with_applications("[{name: chat, namespaces: [/chat]}]").unwrap();
    let two = with_applications("[{name: chat, namespaces: [/chat, /more]}]").unwrap();
    let changes = two.changes_from(&one);
    assert_eq!(changes.applied, ["applications"]);
    assert!(changes.restart_needed.is_empty());
}
