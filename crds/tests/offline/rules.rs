//! Every CEL rule, by the line that people see when it is broken.

use super::{cluster, cluster_and_room, problems, read};

/// Asserts that a cluster with these fields is refused with exactly this.
fn refused(fields: &[&str], path: &str, message: &str) {
    let mut spec = vec!["auth: {required: false}"];
    if fields.iter().any(|field| field.starts_with("auth:")) {
        spec.clear();
    }
    spec.extend(fields);
    assert_eq!(
        problems(&cluster(&spec)),
        [format!(
            "chat.yaml, document 1 (RealtimeCluster chat): {path}: {message}"
        )],
        "{fields:?}"
    );
}

fn room_refused(fields: &[&str], path: &str, message: &str) {
    assert_eq!(
        problems(&cluster_and_room(fields)),
        [format!(
            "chat.yaml, document 2 (Room support): {path}: {message}"
        )],
        "{fields:?}"
    );
}

fn accepted(fields: &[&str]) {
    let mut spec = vec!["auth: {required: false}"];
    spec.extend(fields);
    read(&cluster(&spec)).unwrap();
}

const NO_KEY: &str = "tokens cannot be checked without a key: set jwksUri to the key set of your identity provider, or keySecretRef to a Secret with the key";
const MEMORY: &str = "the memory backbone connects nothing outside its own process: set backbone.nats (for example backbone: {nats: {managed: {}}}) to run more than one gateway, or set gateway.replicas: 1 without gateway.autoscaling";
const NATS: &str = "backbone: {nats: {managed: {}}}";
const TIMEOUT: &str = "a backend needs time to answer: set a timeout above zero, for example 5s";

#[test]
fn auth_that_is_required_needs_a_way_to_check_tokens() {
    let message = "set auth.jwt to say how tokens are checked, or set auth.required: false to let anyone connect";
    refused(&["auth: {}"], "spec.auth.jwt", message);
    refused(
        &["origins: []", "auth: {refreshGrace: 5s}"],
        "spec.auth.jwt",
        message,
    );
}

#[test]
fn tokens_are_checked_with_one_kind_of_key() {
    refused(&["auth: {jwt: {issuer: me}}"], "spec.auth.jwt", NO_KEY);
    refused(
        &["auth: {jwt: {jwksUri: 'https://idp/keys', keySecretRef: {name: a, key: b}}}"],
        "spec.auth.jwt.keySecretRef",
        "jwksUri and keySecretRef are both set: keep jwksUri if an identity provider signs the tokens, or keySecretRef if the key is your own",
    );
}

#[test]
fn a_published_key_set_cannot_have_shared_keys() {
    refused(
        &["auth: {jwt: {jwksUri: 'https://idp/keys', algorithms: [RS256, HS256]}}"],
        "spec.auth.jwt.algorithms",
        "HS256, HS384 and HS512 need a shared key, which a key set at jwksUri must not publish: remove them from algorithms, or use keySecretRef",
    );
}

#[test]
fn urls_have_a_scheme_and_a_host() {
    refused(
        &["auth: {jwt: {jwksUri: idp.example.com}}"],
        "spec.auth.jwt.jwksUri",
        "write a URL with its scheme, for example https://login.example.com/.well-known/jwks.json",
    );
    refused(
        &["backend: {webhook: {url: 'ftp://app', secretRef: {name: a, key: b}}}"],
        "spec.backend.webhook.url",
        "write a URL with its scheme, for example https://backend.example.com/sluice",
    );
    refused(
        &["observability: {otlpEndpoint: 'collector:4317'}"],
        "spec.observability.otlpEndpoint",
        "write a URL with its scheme, for example http://collector.monitoring:4318",
    );
    refused(
        &["backbone: {nats: {external: {url: 'nats-a:4222'}}}"],
        "spec.backbone.nats.external.url",
        "write the servers' URLs, separated by commas, for example nats://nats-0.nats:4222,nats://nats-1.nats:4222",
    );
    accepted(&["backbone: {nats: {external: {url: 'nats://a:4222,tls://b:4222, nats://c'}}}"]);
}

#[test]
fn more_than_one_gateway_needs_nats() {
    refused(&["gateway: {replicas: 2}"], "spec.backbone", MEMORY);
    refused(
        &["gateway: {replicas: 2}", "backbone: {memory: {}}"],
        "spec.backbone",
        MEMORY,
    );
    refused(&["gateway: {autoscaling: {}}"], "spec.backbone", MEMORY);
    accepted(&["gateway: {replicas: 2}", NATS]);
    accepted(&["gateway: {autoscaling: {}}", NATS]);
    accepted(&["gateway: {replicas: 0}", "backbone: {memory: {}}"]);
}

#[test]
fn there_is_one_backbone() {
    let message =
        "set one of backbone.memory and backbone.nats: memory for one gateway, nats for a fleet";
    refused(&["backbone: {}"], "spec.backbone", message);
    refused(
        &["backbone: {memory: {}, nats: {managed: {}}}"],
        "spec.backbone",
        message,
    );
    let message = "set one of backbone.nats.managed and backbone.nats.external: managed if the operator is to run NATS, external if you run it";
    refused(&["backbone: {nats: {}}"], "spec.backbone.nats", message);
    refused(
        &["backbone: {nats: {managed: {}, external: {url: 'nats://a'}}}"],
        "spec.backbone.nats",
        message,
    );
}

#[test]
fn nats_runs_on_an_odd_number_of_servers() {
    let message = "NATS servers agree by majority: run 1, 3 or 5 of them";
    for replicas in [0, 2, 4, 6] {
        let field = format!("backbone: {{nats: {{managed: {{replicas: {replicas}}}}}}}");
        refused(&[&field], "spec.backbone.nats.managed.replicas", message);
    }
    accepted(&["backbone: {nats: {managed: {replicas: 5}}}"]);
}

#[test]
fn there_is_one_backend_and_it_can_be_reached() {
    let message = "set one of backend.nats and backend.webhook: nats if the backend subscribes to subjects, webhook if it takes HTTP requests";
    let both = "backend: {nats: {}, webhook: {url: 'http://app', secretRef: {name: a, key: b}}}";
    refused(&["backend: {askOnConnect: true}"], "spec.backend", message);
    refused(&[both, NATS], "spec.backend", message);
    refused(
        &["backend: {nats: {}}"],
        "spec.backend",
        "a backend that subscribes to NATS needs NATS: set backbone.nats, or use backend.webhook",
    );
    accepted(&["backend: {nats: {}}", NATS]);
}

#[test]
fn a_backend_has_time_to_answer() {
    refused(
        &["backend: {nats: {timeout: 0s}}", NATS],
        "spec.backend.nats.timeout",
        TIMEOUT,
    );
    let webhook =
        "backend: {webhook: {url: 'http://app', secretRef: {name: a, key: b}, timeout: '0'}}";
    refused(&[webhook], "spec.backend.webhook.timeout", TIMEOUT);
}

#[test]
fn autoscaling_has_bounds_in_order() {
    refused(
        &[
            "gateway: {autoscaling: {minReplicas: 5, maxReplicas: 4}}",
            NATS,
        ],
        "spec.gateway.autoscaling.minReplicas",
        "minReplicas is more than maxReplicas: lower minReplicas or raise maxReplicas",
    );
    refused(
        &[
            "gateway: {maxConnections: 1000, autoscaling: {connectionsPerPod: 2000}}",
            NATS,
        ],
        "spec.gateway.autoscaling.connectionsPerPod",
        "connectionsPerPod is more than a gateway takes: lower it to gateway.maxConnections or less, or raise gateway.maxConnections",
    );
    accepted(&[
        "gateway: {autoscaling: {minReplicas: 4, maxReplicas: 4}}",
        NATS,
    ]);
}

#[test]
fn a_drain_fits_into_its_deadline() {
    refused(
        &["drain: {settle: 61s, window: 1m, deadline: 2m}"],
        "spec.drain.deadline",
        "settle and window together are longer than deadline, so the gateway would end before its connections have moved: raise deadline, or lower settle or window",
    );
    refused(
        &["drain: {settle: 0s, window: 0s, deadline: 500ms}"],
        "spec.drain.deadline",
        "a drain needs a deadline of 1s or more, for example 120s",
    );
    accepted(&["drain: {settle: 60s, window: 1m, deadline: 120000ms}"]);
}

#[test]
fn a_heartbeat_beats() {
    refused(
        &["heartbeat: {interval: 0s}"],
        "spec.heartbeat.interval",
        "the heartbeat needs an interval of 10ms or more, for example 25s",
    );
    refused(
        &["heartbeat: {timeout: 1ns}"],
        "spec.heartbeat.timeout",
        "the heartbeat needs a timeout of 10ms or more, for example 20s",
    );
    accepted(&["heartbeat: {interval: 300ms, timeout: 200ms}"]);
}

#[test]
fn a_surge_is_a_number_or_a_percentage() {
    let message = "maxSurge is a number from 1, or a percentage from 1% to 100%, for example 25%";
    for surge in ["0", "-1", "'0%'", "'101%'", "'25'", "lots"] {
        refused(
            &[&format!("rollout: {{maxSurge: {surge}}}")],
            "spec.rollout.maxSurge",
            message,
        );
    }
    accepted(&["rollout: {maxSurge: 2}"]);
    accepted(&["rollout: {maxSurge: 100%}"]);
}

#[test]
fn origins_are_schemes_with_hosts() {
    let message = "an origin is a scheme and a host without a path, for example https://chat.example.com, https://*.example.com or http://localhost:*; write * alone to let every origin in";
    for origin in [
        "example.com",
        "https://a.com/",
        "https://a.*.com",
        "https://*",
        "https://a:b",
    ] {
        refused(
            &[&format!("origins: ['{origin}']")],
            "spec.origins",
            message,
        );
    }
    accepted(&["origins: ['*']"]);
    accepted(&[
        "origins: ['https://a.com', 'https://*.a.com:8443', 'http://localhost:*', 'http://[::1]:3000', 'capacitor://localhost']",
    ]);
}

#[test]
fn namespaces_start_with_a_slash() {
    let message = "the name of a namespace starts with /, for example /chat";
    refused(&["namespaces: [/, chat]"], "spec.namespaces", message);
    room_refused(&["match: a", "namespace: ''"], "spec.namespace", message);
}

#[test]
fn an_application_is_named_by_a_dns_label() {
    for name in ["Chat", "-chat", "chat-", "chat.one", "chat_one"] {
        refused(
            &[
                NATS,
                &format!("applications: [{{name: '{name}', namespaces: [/chat]}}]"),
            ],
            "spec.applications[0].name",
            "an application's name is a DNS label: use lower-case letters, digits and '-', and neither start nor end with '-'",
        );
    }
}

#[test]
fn a_namespace_of_an_application_has_at_most_one_star_at_its_end() {
    for namespace in ["chat", "/a*b", "/a**", "*"] {
        refused(
            &[
                NATS,
                &format!("applications: [{{name: chat, namespaces: ['{namespace}']}}]"),
            ],
            "spec.applications[0].namespaces",
            "an application's namespace starts with / and may end in one *, for example /chat or /admin-*",
        );
    }
    accepted(&[
        NATS,
        "applications: [{name: chat, namespaces: [/, /chat, '/admin-*', '/chat*']}]",
    ]);
}

#[test]
fn an_applications_recovery_and_limits_are_within_bounds() {
    let of = |more: &str| format!("applications: [{{name: chat, namespaces: [/chat], {more}}}]");
    accepted(&[
        NATS,
        &of(
            "recovery: {window: 1h, bytes: 1048576}, limits: {waitingBytes: 1048576, unreadFor: 1s}",
        ),
    ]);
    for (more, field, message) in [
        (
            "recovery: {window: 0s}",
            "spec.applications[0].recovery.window",
            "the window of an application's recovery is 1s to 1h, for example 2m; leave recovery out to have none",
        ),
        (
            "limits: {unreadFor: 11m}",
            "spec.applications[0].limits.unreadFor",
            "a client that is not read is closed after 1s to 10m, for example 30s",
        ),
        (
            "limits: {waitingBytesPerSession: 2097152, waitingBytes: 1048576}",
            "spec.applications[0].limits.waitingBytesPerSession",
            "one session may not have more waiting than all sessions together: raise waitingBytes, or lower waitingBytesPerSession",
        ),
    ] {
        refused(&[NATS, &of(more)], field, message);
    }
}

#[test]
fn applications_need_nats() {
    refused(
        &["applications: [{name: chat, namespaces: [/chat]}]"],
        "spec.applications",
        "applications speak with the gateways over NATS: set backbone.nats, for example backbone: {nats: {managed: {}}}, or leave applications out",
    );
    accepted(&["applications: []"]);
}

#[test]
fn a_namespace_belongs_to_one_application() {
    let two = |one: &str, other: &str| {
        format!(
            "applications: [{{name: one, namespaces: ['/one', '{one}']}}, {{name: other, namespaces: ['{other}', '/other']}}]"
        )
    };
    for (one, other) in [
        ("/", "/"),
        ("/admin-7", "/admin-*"),
        ("/admin-*", "/admin-"),
        ("/admin-*", "/admin-*"),
        ("/admin-*", "/admin-new-*"),
        ("/*", "/chat"),
    ] {
        refused(
            &[NATS, &two(one, other)],
            "spec.applications",
            "a namespace belongs to one application: change the namespaces of two applications so that none is in both, a pattern such as /admin-* counting as all that it matches",
        );
    }
    for (one, other) in [("/", "/chat"), ("/admin-*", "/admin"), ("/a-*", "/b-*")] {
        accepted(&[NATS, &two(one, other)]);
    }
    refused(
        &[
            NATS,
            "applications: [{name: chat, namespaces: [/a]}, {name: chat, namespaces: [/b]}]",
        ],
        "spec.applications[1]",
        "\"chat\" is listed twice; remove one",
    );
}

#[test]
fn a_backend_needs_a_namespace_that_belongs_to_no_application() {
    let message = "every namespace belongs to an application, so the backend would never be asked: leave backend out, or list in namespaces one that belongs to no application";
    let backend = "backend: {nats: {}}";
    let all = "applications: [{name: chat, namespaces: [/]}, {name: admin, namespaces: [/admin]}]";
    refused(&[NATS, backend, all], "spec.backend", message);
    refused(
        &[NATS, backend, all, "namespaces: [/admin]"],
        "spec.backend",
        message,
    );
    let pattern = "applications: [{name: chat, namespaces: ['/*']}]";
    refused(
        &[NATS, backend, pattern, "namespaces: [/news]"],
        "spec.backend",
        message,
    );
    accepted(&[NATS, backend, all, "namespaces: [/news]"]);
    accepted(&[
        NATS,
        backend,
        "applications: [{name: chat, namespaces: [/chat]}]",
    ]);
    accepted(&[NATS, backend, "applications: []"]);
}

#[test]
fn trusted_proxies_are_networks() {
    let message = "a trusted proxy is a network with its prefix length, for example 10.0.0.0/8 or fd00::/8; write one address as 192.0.2.7/32";
    for network in ["10.0.0.1", "10.0.0.0/33", "proxy"] {
        refused(
            &[&format!("limits: {{trustedProxies: ['{network}']}}")],
            "spec.limits.trustedProxies",
            message,
        );
    }
    accepted(&["limits: {trustedProxies: [10.0.0.0/8, 'fd00::/8']}"]);
}

#[test]
fn history_has_a_bound() {
    room_refused(
        &["match: a", "history: {}"],
        "spec.history",
        "history needs a bound: set maxMessages (for example 1000), maxAge (for example 24h), or both",
    );
    room_refused(
        &["match: a", "history: {maxAge: 0s}"],
        "spec.history.maxAge",
        "messages are kept for 1s or more: raise maxAge, or remove history to keep nothing",
    );
    read(&cluster_and_room(&[
        "match: a",
        "history: {maxMessages: 5}",
    ]))
    .unwrap();
}

#[test]
fn a_duration_is_at_most_ten_years() {
    refused(
        &["recovery: {window: 87601h}"],
        "spec.recovery.window",
        "\"87601h\" is too long; write 87600h (ten years) or less",
    );
}

#[test]
fn a_cluster_is_named_as_its_services_can_be() {
    let message = "the name of a RealtimeCluster is that of its Services and pods: use at most 40 lower-case letters, digits and '-', and start with a letter";
    let named = |name: &str| {
        cluster(&["auth: {required: false}"]).replace("name: chat", &format!("name: {name}"))
    };
    for name in ["9lives", "a.b", &"a".repeat(41)] {
        assert_eq!(
            problems(&named(name)),
            [format!(
                "chat.yaml, document 1 (RealtimeCluster {name}): {message}"
            )]
        );
    }
    read(&named(&"a".repeat(40))).unwrap();
}
