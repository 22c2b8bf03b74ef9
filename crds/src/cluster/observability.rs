use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Traces and metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Observability::default")]
pub struct Observability {
    /// Where traces are sent, by OTLP over HTTP: the URL of a collector, most of which listen at
    /// port 4318. Without it there are none.
    #[schemars(length(max = 2048))]
    #[x_kube(validation = Rule::new("self.matches('^https?://[^/ ]')")
        .message("write a URL with its scheme, for example http://collector.monitoring:4318"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_endpoint: Option<String>,
    /// Whether a `PodMonitor` is made, on a Kubernetes cluster that has that resource, so that
    /// Prometheus finds the gateways.
    pub pod_monitor: bool,
}

impl Default for Observability {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            pod_monitor: true,
        }
    }
}
