use sluice_crds::cluster::{
    Auth, Autoscaling, Drain, Gateway, Heartbeat, Limits, ManagedNats, Recovery, Rollout,
    RoomsDefault, Service, ServiceType,
};
use sluice_crds::room::{OnSlowConsumer, RoomAccess, RoomLimits, RoomPresence};
use sluice_crds::{Duration, RealtimeClusterSpec, RoomSpec};

use super::{CLUSTER, cluster, cluster_and_room, read};

#[test]
fn a_cluster_that_says_nothing_has_every_default() {
    let spec = read(CLUSTER).unwrap().cluster.spec;
    let auth = Auth {
        required: false,
        ..Auth::default()
    };
    assert_eq!(
        spec,
        RealtimeClusterSpec {
            auth,
            ..RealtimeClusterSpec::default()
        }
    );
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let spec = read(CLUSTER).unwrap().cluster.spec;
    let seconds = Duration::from_secs;
    assert_eq!(
        (spec.gateway.replicas, spec.gateway.max_connections),
        (1, 50_000)
    );
    assert_eq!(
        (spec.gateway.workers, spec.gateway.compression),
        (None, false)
    );
    assert_eq!(
        (spec.service.type_, spec.service.port),
        (ServiceType::ClusterIP, 80)
    );
    assert_eq!(spec.service.session_affinity.timeout_seconds, 10_800);
    assert_eq!(spec.auth.refresh_grace, seconds(60));
    assert_eq!(
        (
            spec.limits.connections_per_ip,
            spec.limits.connections_per_user
        ),
        (100, 10)
    );
    assert_eq!(
        (spec.limits.messages_per_second, spec.limits.payload_bytes()),
        (50, 1_000_000)
    );
    assert_eq!(
        (spec.limits.outbound_bytes, spec.limits.joins_per_connection),
        (4_194_304, 1000)
    );
    assert_eq!(
        spec.heartbeat,
        Heartbeat {
            interval: seconds(25),
            timeout: seconds(20)
        }
    );
    assert_eq!(spec.recovery.window, seconds(120));
    assert_eq!(spec.namespaces, ["/"]);
    assert_eq!(spec.rooms.default, RoomsDefault::Deny);
    assert_eq!(
        (spec.drain.settle, spec.drain.window),
        (seconds(5), seconds(60))
    );
    assert_eq!(
        (spec.drain.connections_per_second, spec.drain.deadline),
        (500, seconds(120))
    );
    assert_eq!(serde_json::json!(spec.rollout.max_surge), "25%");
    assert!(spec.observability.pod_monitor);
}

#[test]
fn a_room_that_says_nothing_has_every_default() {
    let documents = read(&cluster_and_room(&["match: support-*"])).unwrap();
    let spec = &documents.rooms[0].spec;
    assert_eq!(*spec, RoomSpec::new("chat", "support-*"));
    assert_eq!((spec.namespace.as_str(), &spec.history), ("/", &None));
    assert_eq!(spec.access, RoomAccess::default());
    assert_eq!(
        spec.limits,
        RoomLimits {
            members: 10_000,
            messages_per_second: 1000
        }
    );
    assert_eq!(
        spec.presence,
        RoomPresence {
            enabled: true,
            announce: true
        }
    );
    assert_eq!(spec.on_slow_consumer, OnSlowConsumer::Close);
}

#[test]
fn a_group_that_is_given_in_part_has_the_other_defaults() {
    let text = cluster(&[
        "auth: {jwt: {keySecretRef: {name: keys, key: jwt}}}",
        "gateway: {autoscaling: {maxReplicas: 9}}",
        "limits: {inFlight: 3}",
        "service: {port: 8080}",
        "drain: {window: 90s}",
        "backbone: {nats: {managed: {}}}",
        "backend: {webhook: {url: 'http://app/', secretRef: {name: keys, key: hook}}}",
    ]);
    let spec = read(&text).unwrap().cluster.spec;
    let autoscaling = Some(Autoscaling {
        max_replicas: 9,
        ..Autoscaling::default()
    });
    assert_eq!(
        spec.gateway,
        Gateway {
            autoscaling,
            ..Gateway::default()
        }
    );
    assert_eq!(
        spec.limits,
        Limits {
            in_flight: 3,
            ..Limits::default()
        }
    );
    assert_eq!(
        spec.service,
        Service {
            port: 8080,
            ..Service::default()
        }
    );
    assert_eq!(
        spec.drain,
        Drain {
            window: Duration::from_secs(90),
            ..Drain::default()
        }
    );
    assert_eq!(
        spec.backbone.unwrap().nats.unwrap().managed,
        Some(ManagedNats::default())
    );
    assert_eq!(
        spec.backend.unwrap().webhook.unwrap().timeout,
        Duration::from_secs(5)
    );
    assert_eq!(spec.auth.jwt.unwrap().user_claim, "sub");
}

#[test]
fn a_field_that_is_null_gets_its_default() {
    let text = cluster(&[
        "auth: {required: false, jwt: null}",
        "recovery:",
        "heartbeat: {interval: ~}",
    ]);
    let spec = read(&text).unwrap().cluster.spec;
    assert_eq!(
        (spec.recovery, spec.heartbeat),
        (Recovery::default(), Heartbeat::default())
    );
    assert_eq!((spec.auth.jwt, spec.rollout), (None, Rollout::default()));
}

#[test]
fn what_is_read_and_written_again_reads_the_same() {
    let documents = read(&cluster_and_room(&["match: a", "history: {maxAge: 36h}"])).unwrap();
    let written = serde_saphyr::to_string(&documents.cluster).unwrap()
        + "---\n"
        + &serde_saphyr::to_string(&documents.rooms[0]).unwrap();
    assert_eq!(read(&written).unwrap(), documents);
}

#[test]
fn the_pods_of_gateways_are_described_as_pods_are() {
    let text = cluster(&[
        "auth: {required: false}",
        "gateway:",
        "  resources: {requests: {cpu: 2, memory: 512Mi}}",
        "  tolerations: [{key: spot, operator: Exists}]",
        "  nodeSelector: {kubernetes.io/arch: arm64}",
        "  podAnnotations: {example.com/team: chat}",
        "  imagePullSecrets: [{name: registry}]",
        "  topologySpreadConstraints:",
        "  - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}",
        "  affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}",
    ]);
    let gateway = read(&text).unwrap().cluster.spec.gateway;
    assert_eq!(gateway.tolerations[0].key.as_deref(), Some("spot"));
    assert_eq!(gateway.node_selector["kubernetes.io/arch"], "arm64");
    assert!(gateway.affinity.is_some() && gateway.resources.is_some());
}

#[test]
fn a_json_schema_is_kept_as_it_is() {
    let schema =
        "schemas: {message: {type: object, required: [text], properties: {at: {const: null}}}}";
    let documents = read(&cluster_and_room(&["match: a", schema])).unwrap();
    let kept = serde_json::to_value(&documents.rooms[0].spec.schemas["message"]).unwrap();
    assert_eq!(
        kept,
        serde_json::json!({"type": "object", "required": ["text"], "properties": {"at": {"const": null}}})
    );
}

#[test]
fn a_document_that_uses_every_group_is_read() {
    let text = "
apiVersion: sluice.dev/v1alpha1
kind: RealtimeCluster
metadata: {name: chat, labels: {app: chat}}
spec:
  gateway:
    replicas: 3
    autoscaling: {minReplicas: 3, maxReplicas: 30, connectionsPerPod: 30000}
    maxConnections: 50000
    workers: 2
    compression: true
    podAnnotations: {a: b}
  service:
    type: LoadBalancer
    port: 80
    sessionAffinity: {type: ClientIP, timeoutSeconds: 10800}
    annotations: {}
  route: {gatewayRef: {name: public, namespace: infra, sectionName: https}, hostnames: [chat.example.com]}
  tls: {secretName: chat-tls}
  origins: ['https://*.example.com']
  auth:
    required: true
    jwt: {issuer: me, audience: chat, jwksUri: 'https://idp/keys', algorithms: [ES256, EdDSA], userClaim: sub, leeway: 5s}
    refreshGrace: 60s
  limits: {connectionsPerIP: 100, connectionsPerUser: 10, messagesPerSecond: 50, payloadBytes: 65536, outboundBytes: 1048576, joinsPerConnection: 10, inFlight: 5, trustedProxies: [10.0.0.0/8]}
  heartbeat: {interval: 25s, timeout: 20s}
  recovery: {window: 2m}
  namespaces: [/, /chat]
  rooms: {default: Open}
  backend: {nats: {timeout: 5s}, askOnConnect: true, tellOnDisconnect: true}
  drain: {settle: 5s, window: 60s, connectionsPerSecond: 500, deadline: 120s}
  rollout: {maxSurge: 25%}
  backbone: {nats: {managed: {replicas: 3, storage: 10Gi, storageClassName: fast}}}
  observability: {otlpEndpoint: 'http://collector:4318', podMonitor: true}
---
apiVersion: sluice.dev/v1alpha1
kind: Room
metadata: {name: support}
spec:
  clusterRef: {name: chat}
  namespace: /chat
  match: support-*
  access: {join: \"'agent' in claims.roles || claims.sub == room.suffix\", publish: 'true', presence: 'true', history: 'false'}
  history: {maxMessages: 1000, maxAge: 24h}
  presence: {enabled: true, announce: false}
  limits: {members: 10000, messagesPerSecond: 1000}
  schemas: {message: {type: object, required: [text]}}
  onSlowConsumer: Drop
";
    let documents = read(text).unwrap();
    assert_eq!(
        documents.cluster.spec.service.type_,
        ServiceType::LoadBalancer
    );
    assert_eq!(
        documents.rooms[0].spec.on_slow_consumer,
        OnSlowConsumer::Drop
    );
}

#[test]
fn a_message_may_have_a_million_bytes_or_half_of_what_may_wait() {
    let limits = |text: &str| {
        let lines = ["auth: {required: false}", text];
        read(&cluster(&lines)).unwrap().cluster.spec.limits
    };
    assert_eq!(limits("limits: {inFlight: 5}").payload_bytes(), 1_000_000);
    assert_eq!(
        limits("limits: {outboundBytes: 1048576}").payload_bytes(),
        524_288
    );
    let stored_by_0_1_0 = limits("limits: {payloadBytes: 65536, outboundBytes: 1048576}");
    assert_eq!(stored_by_0_1_0.payload_bytes(), 65_536);
    assert_eq!(stored_by_0_1_0.undeliverable(), None);
}

#[test]
fn limits_that_cannot_work_are_loaded_where_they_were_accepted_before_and_told_of() {
    let lines = [
        "auth: {required: false}",
        "limits: {payloadBytes: 2097152, outboundBytes: 1048576}",
    ];
    let limits = read(&cluster(&lines)).unwrap().cluster.spec.limits;
    assert!(limits.undeliverable().unwrap().contains("outboundBytes"));
}
