//! One API server for all tests, a Kubernetes namespace and an operator for each.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use k8s_openapi::{
    api::core::v1::Namespace,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde_json::{Value, json};
use sluice_crds::{RealtimeCluster, Room, definition};
use sluice_operator::{Kind, Metrics, Operator, Settings, plan::Images};
use sluice_test_apiserver::{ApiServer, Options, until};
use tokio::{sync::OnceCell, task::AbortHandle};

static SERVER: OnceCell<ApiServer> = OnceCell::const_new();

/// The API server, with the custom resources.
pub(crate) async fn server() -> &'static ApiServer {
    SERVER
        .get_or_init(|| async {
            let server = ApiServer::start(Options { controllers: true }).await;
            install(&server.client().await).await;
            server
        })
        .await
}

async fn install(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in [definition::<RealtimeCluster>(), definition::<Room>()] {
        let definition: CustomResourceDefinition = serde_json::from_value(definition).unwrap();
        let name = definition.name_any();
        api.create(&PostParams::default(), &definition)
            .await
            .unwrap();
        until("a custom resource is established", async || {
            let there = api.get(&name).await.unwrap();
            let conditions = there.status.and_then(|status| status.conditions);
            conditions
                .into_iter()
                .flatten()
                .any(|it| it.type_ == "Established" && it.status == "True")
        })
        .await;
    }
}

/// A Kubernetes namespace of a test, and perhaps an operator that works in it.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) metrics: Metrics,
    ready: Arc<AtomicBool>,
    operator: Option<AbortHandle>,
}

impl World {
    /// A namespace without an operator.
    pub(crate) async fn empty() -> Self {
        let client = server().await.client().await;
        let name = format!("t-{:08x}", rand::random::<u32>());
        let namespace = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
        let api: Api<Namespace> = Api::all(client.clone());
        api.create(&PostParams::default(), &namespace)
            .await
            .unwrap();
        Self {
            client,
            namespace: name,
            metrics: Metrics::new().unwrap(),
            ready: Arc::default(),
            operator: None,
        }
    }

    /// A namespace with an operator.
    pub(crate) async fn new() -> Self {
        let mut world = Self::empty().await;
        world.start();
        world
    }

    /// Starts an operator in the namespace.
    pub(crate) fn start(&mut self) {
        let namespace = Some(self.namespace.clone());
        self.start_as(self.client.clone(), namespace);
    }

    /// Starts an operator with the rights of a client.
    pub(crate) fn start_as(&mut self, client: Client, namespace: Option<String>) {
        let operator = Operator {
            client,
            namespace,
            settings: Settings {
                images: Images {
                    gateway: "gateway:test".to_owned(),
                    nats: "nats:test".to_owned(),
                },
                operator_namespace: "sluice-system".to_owned(),
                instance: "test".to_owned(),
            },
            metrics: self.metrics.clone(),
            ready: Arc::clone(&self.ready),
        };
        let task = tokio::spawn(async move { operator.run().await });
        self.operator = Some(task.abort_handle());
    }

    /// Whether the operator has seen everything.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// How many reconciliations of a kind had this outcome; with any, if it is empty.
    #[expect(clippy::cast_sign_loss, reason = "a counter is never negative")]
    pub(crate) fn reconciliations(&self, kind: Kind, outcome: &str) -> u64 {
        let families = self.metrics.registry().gather();
        let family = families
            .iter()
            .find(|it| it.name() == "sluice_operator_reconciliations_total");
        let counted = family
            .into_iter()
            .flat_map(prometheus::proto::MetricFamily::get_metric);
        let counted = counted.filter(|metric| {
            let is = |name: &str, value: &str| {
                let mut labels = metric.get_label().iter();
                labels.any(|label| label.name() == name && label.value() == value)
            };
            is("kind", kind.name()) && (outcome.is_empty() || is("outcome", outcome))
        });
        counted
            .map(|metric| metric.get_counter().get_value() as u64)
            .sum()
    }

    /// Waits until the operator has looked at something of a kind as many times more.
    pub(crate) async fn looks(&self, kind: Kind, times: u64) {
        let wanted = self.reconciliations(kind, "") + times;
        until(&format!("the operator looks at a {kind}"), async || {
            self.reconciliations(kind, "") >= wanted
        })
        .await;
    }

    /// Ends the operator without a word.
    pub(crate) fn kill(&mut self) {
        if let Some(operator) = self.operator.take() {
            operator.abort();
        }
    }

    pub(crate) fn api(&self, kind: Kind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource(kind))
    }

    /// Applies a `RealtimeCluster` as a user does.
    pub(crate) async fn cluster(&self, name: &str, spec: Value) -> DynamicObject {
        self.apply(Kind::RealtimeCluster, name, spec).await
    }

    /// Applies a `Room` of a cluster as a user does.
    pub(crate) async fn room(&self, name: &str, cluster: &str, mut spec: Value) -> DynamicObject {
        spec["clusterRef"] = json!({"name": cluster});
        self.apply(Kind::Room, name, spec).await
    }

    async fn apply(&self, kind: Kind, name: &str, spec: Value) -> DynamicObject {
        let object = json!({
            "apiVersion": kind.api_version(),
            "kind": kind.name(),
            "metadata": {"name": name},
            "spec": spec,
        });
        let params = PatchParams::apply("user").force();
        self.api(kind)
            .patch(name, &params, &Patch::Apply(object))
            .await
            .unwrap()
    }

    pub(crate) async fn get(&self, kind: Kind, name: &str) -> Option<DynamicObject> {
        self.api(kind).get_opt(name).await.unwrap()
    }

    pub(crate) async fn delete(&self, kind: Kind, name: &str) {
        self.api(kind)
            .delete(name, &DeleteParams::background())
            .await
            .unwrap();
    }

    /// Merges fields into an object, as somebody who edits it.
    pub(crate) async fn edit(&self, kind: Kind, name: &str, fields: Value) {
        let params = PatchParams::default();
        self.api(kind)
            .patch(name, &params, &Patch::Merge(fields))
            .await
            .unwrap();
    }

    /// A condition of an object: its status, its reason and its message.
    pub(crate) async fn condition(
        &self,
        kind: Kind,
        name: &str,
        of: &str,
    ) -> Option<(String, String, String)> {
        let object = self.get(kind, name).await?;
        let conditions = object.data.pointer("/status/conditions")?.as_array()?;
        let condition = conditions.iter().find(|it| it["type"] == of)?;
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        Some((text("status"), text("reason"), text("message")))
    }

    /// Waits until a condition says this, and returns its message.
    pub(crate) async fn says(
        &self,
        kind: Kind,
        name: &str,
        of: &str,
        status: &str,
        reason: &str,
    ) -> String {
        let mut last = None;
        let what = format!("{of} of {kind} {name} is {status} because of {reason}");
        until(&what, async || {
            last = self.condition(kind, name, of).await;
            last.as_ref()
                .is_some_and(|(is, why, _)| is == status && why == reason)
        })
        .await;
        last.unwrap().2
    }

    /// Waits until there is an event about an object with this reason.
    pub(crate) async fn event(&self, name: &str, reason: &str) -> String {
        let event = GroupVersionKind::gvk("events.k8s.io", "v1", "Event");
        let resource = ApiResource::from_gvk_with_plural(&event, "events");
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
        let mut found = None;
        until(
            &format!("there is an event {reason} about {name}"),
            async || {
                let events = api.list(&kube::api::ListParams::default()).await.unwrap();
                let about = |it: &DynamicObject| {
                    it.data["regarding"]["name"] == name && it.data["reason"] == reason
                };
                found = events.items.into_iter().find(about);
                found.is_some()
            },
        )
        .await;
        found.unwrap().data["note"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The pods that there are.
    pub(crate) async fn pods(&self) -> Vec<DynamicObject> {
        self.api(Kind::Pod)
            .list(&kube::api::ListParams::default())
            .await
            .unwrap()
            .items
    }

    /// Says of every gateway and NATS server there is that it is ready, as kubelets would.
    pub(crate) async fn run_pods(&self) {
        let api = self.api(Kind::Pod);
        for pod in api.list(&kube::api::ListParams::default()).await.unwrap() {
            let status = json!({"status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
            }});
            let name = pod.name_any();
            let _ = api
                .patch_status(&name, &PatchParams::default(), &Patch::Merge(status))
                .await;
        }
    }

    /// Waits until a cluster is ready, while its pods run as soon as there are any.
    pub(crate) async fn ready(&self, cluster: &str) {
        let mut last = None;
        let what = format!("the cluster {cluster} is ready");
        until(&what, async || {
            self.run_pods().await;
            last = self
                .condition(Kind::RealtimeCluster, cluster, "Ready")
                .await;
            last.as_ref().is_some_and(|(status, ..)| status == "True")
        })
        .await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn resource(kind: Kind) -> ApiResource {
    let gvk = GroupVersionKind::gvk(kind.group(), kind.version(), kind.name());
    ApiResource::from_gvk_with_plural(&gvk, kind.plural())
}
