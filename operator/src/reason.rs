//! What conditions, events and metrics call the state of a resource, and what is in its way.

/// Makes a constant for each reason, and the list of all, from one list.
macro_rules! reasons {
    ($( $(#[doc = $meaning:literal])+ $reason:ident = $text:literal; )+) => {
        $( $(#[doc = $meaning])+ pub(crate) const $reason: &str = $text; )+

        /// All of them, as `docs/operator.md` describes them.
        pub const ALL: &[&str] = &[$($text),+];
    };
}

reasons! {
    /// The fleet serves its clients as the spec says.
    SERVING = "Serving";
    /// The gateways work by the Room.
    IN_FORCE = "InForce";
    /// Gateways are starting, or take what they are to work by.
    STARTING = "Starting";
    /// Clients are moved to a new revision of gateways.
    ROLLING_OUT = "RollingOut";
    /// The NATS servers are starting.
    BACKBONE_STARTING = "BackboneStarting";
    /// The gateways have not taken the Room yet.
    PENDING = "Pending";
    /// The fleet is being looked at.
    READING = "Reading";
    /// The fleet waits for gateways that start.
    GATEWAYS_STARTING = "GatewaysStarting";
    /// The fleet waits for gateways of a new revision.
    NEW_REVISION_STARTING = "NewRevisionStarting";
    /// Connections are moved to a new revision.
    CONNECTIONS_MOVING = "ConnectionsMoving";
    /// Gateways leave nodes that are cordoned.
    NODES_CORDONED = "NodesCordoned";
    /// There are more gateways than wanted.
    SCALING_DOWN = "ScalingDown";
    /// Connections are spread anew.
    REBALANCING = "Rebalancing";
    /// The spec holds a rollout.
    ROLLOUT_PAUSED = "RolloutPaused";
    /// New gateways have not become ready for long.
    GATEWAYS_NOT_READY = "GatewaysNotReady";
    /// Gateways of the wanted revision read less than the wire version that is finalised.
    WIRE_VERSION_TOO_OLD = "WireVersionTooOld";
    /// The spec cannot be used.
    INVALID_SPEC = "InvalidSpec";
    /// The spec has fields that this operator does not know.
    UNKNOWN_FIELDS = "UnknownFields";
    /// A message may be taken that cannot be delivered: an earlier version has accepted the spec, or
    /// NATS servers take less.
    UNDELIVERABLE = "Undeliverable";
    /// A Secret, or a key in it, is not there.
    SECRET_MISSING = "SecretMissing";
    /// An object of that name belongs to somebody else.
    NAME_TAKEN = "NameTaken";
    /// A `ResourceQuota` is used up.
    QUOTA_EXCEEDED = "QuotaExceeded";
    /// The operator lacks a right.
    FORBIDDEN = "Forbidden";
    /// The API server does not take an object.
    REFUSED = "Refused";
    /// Somebody changed an object at the same time, or another Room is for the same rooms.
    CONFLICT = "Conflict";
    /// The API server cannot be reached, or cannot do it now.
    API_SERVER_UNAVAILABLE = "ApiServerUnavailable";
    /// The API server does not know what is asked for.
    API_MISSING = "ApiMissing";
    /// The Kubernetes namespace is being deleted.
    NAMESPACE_TERMINATING = "NamespaceTerminating";
    /// An object of that name is still being deleted.
    BEING_DELETED = "BeingDeleted";
    /// An image cannot be pulled.
    IMAGE_PULL = "ImagePull";
    /// A container cannot be made.
    CONTAINER_REFUSED = "ContainerRefused";
    /// A container ends again and again.
    CRASHING = "Crashing";
    /// There is no node for a pod.
    UNSCHEDULABLE = "Unschedulable";
    /// Pods are not admitted.
    PODS_REFUSED = "PodsRefused";
    /// The operator cannot reach the NATS servers.
    BACKBONE_UNREACHABLE = "BackboneUnreachable";
    /// The NATS servers do not take what the operator says.
    BACKBONE_UNAVAILABLE = "BackboneUnavailable";
    /// The URL or the credentials of the NATS servers cannot be used.
    BACKBONE_INVALID = "BackboneInvalid";
    /// All Rooms together are more than NATS takes in one message.
    DOCUMENTS_TOO_LARGE = "DocumentsTooLarge";
    /// The Room's `RealtimeCluster` is not there.
    CLUSTER_MISSING = "ClusterMissing";
    /// The Room's `RealtimeCluster` cannot be used.
    CLUSTER_INVALID = "ClusterInvalid";
    /// A gateway refuses the documents.
    GATEWAY_REFUSED = "GatewayRefused";
    /// A deleted Room's history cannot be deleted yet.
    HISTORY_WAITS = "HistoryWaits";
}
