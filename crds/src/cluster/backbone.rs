use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{Durability, OnDelete, SecretKeyRef};

/// What connects the gateways.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Backbone::default")]
#[x_kube(
    validation = Rule::new("has(self.memory) != has(self.nats)")
        .message("set one of backbone.memory and backbone.nats: memory for one gateway, nats for a fleet")
)]
pub struct Backbone {
    /// The gateway's own memory: complete, but it ends with its process and connects nothing
    /// outside it. It is what a `RealtimeCluster` without `backbone` has, and takes one gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryBackbone>,
    /// NATS with JetStream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats: Option<NatsBackbone>,
}

/// The gateway's own memory. Nothing has to be set: write `memory: {}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "MemoryBackbone::default")]
pub struct MemoryBackbone {
    /// Bytes that all rooms' histories may hold together. When they are full, a room keeps a new
    /// message in the place of its own oldest ones.
    #[schemars(range(min = 1_048_576))]
    pub history_bytes: u64,
}

impl Default for MemoryBackbone {
    fn default() -> Self {
        Self {
            history_bytes: 1 << 28,
        }
    }
}

/// NATS with JetStream: one that the operator runs, or one that is there already.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "NatsBackbone::default")]
#[x_kube(
    validation = Rule::new("has(self.managed) != has(self.external)")
        .message("set one of backbone.nats.managed and backbone.nats.external: managed if the operator is to run NATS, external if you run it")
)]
pub struct NatsBackbone {
    /// NATS servers that the operator runs for this cluster alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed: Option<ManagedNats>,
    /// NATS servers that are there already, with JetStream turned on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalNats>,
}

/// NATS servers that the operator runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "ManagedNats::default")]
pub struct ManagedNats {
    /// How many servers run, and how many copies of each message are kept. Three survive the loss
    /// of one, five of two.
    #[x_kube(
        validation = Rule::new("self in [1, 3, 5]")
            .message("NATS servers agree by majority: run 1, 3 or 5 of them"),
        validation = Rule::new("self == oldSelf || (oldSelf == 3 && self == 5)")
            .message("the number of NATS servers can only grow from 3 to 5: what one server stored cannot be spread over several, and several cannot agree with fewer; make a new RealtimeCluster")
    )]
    pub replicas: u32,
    /// The disk of each server, for the rooms' history and the sessions. It cannot be changed
    /// here.
    #[x_kube(validation = Rule::new("self == oldSelf")
        .message("storage cannot be changed: enlarge the PersistentVolumeClaims of the NATS servers if their class allows it, or make a new RealtimeCluster"))]
    pub storage: Quantity,
    /// The class of the disks. Without it, the Kubernetes cluster's default. It cannot be changed.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self == oldSelf")
        .message("storageClassName cannot be changed: make a new RealtimeCluster"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<String>,
    /// What a message that was acknowledged has survived: with `Disk` a majority of the servers has
    /// it on its disk, and with `Quorum` a majority has it and writes it to its disk within two
    /// minutes, which is several times as fast. Without it, servers that are there stay as they
    /// are; new ones get `Disk` where there are several, and `Quorum` where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub durability: Option<Durability>,
    /// The image of the NATS server. Without it, the one that the operator was released with.
    #[schemars(length(min = 1, max = 500))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What becomes of the disks when the `RealtimeCluster` is deleted: `Drop` deletes them, with
    /// all histories and sessions, `Keep` leaves them.
    pub on_delete: OnDelete,
}

impl Default for ManagedNats {
    fn default() -> Self {
        Self {
            replicas: 3,
            storage: Quantity("10Gi".to_owned()),
            storage_class_name: None,
            durability: None,
            image: None,
            on_delete: OnDelete::default(),
        }
    }
}

/// NATS servers that are there already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExternalNats {
    /// Where the servers are, several separated by commas: `nats://a:4222,nats://b:4222`. Name
    /// each server rather than one name for all, so that a lost server is left at once.
    #[schemars(length(max = 2048))]
    #[x_kube(validation = Rule::new("self.matches('^(nats|tls)://[^/ ,]+(, ?(nats|tls)://[^/ ,]+)*$')")
        .message("write the servers' URLs, separated by commas, for example nats://nats-0.nats:4222,nats://nats-1.nats:4222"))]
    pub url: String,
    /// A credentials file (`.creds`) with which the gateways log in. Without it they log in with
    /// nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<SecretKeyRef>,
}
