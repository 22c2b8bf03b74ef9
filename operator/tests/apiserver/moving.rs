//! Rollouts and scaling with real gateways, real clients, and the Deployments' own controller.
//!
//! A test is the kubelet: it runs a gateway for each pod, on a loopback address that is the pod's.

mod cut;
mod keeping;
mod kubelet;
mod people;
mod wire;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use kube::ResourceExt;
use serde_json::{Value, json};
use sluice_contract::Names;
use sluice_operator::Kind;
use sluice_test_apiserver::until;
use sluice_test_nats::{Server, Settings};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::timeout,
};

use self::{cut::Cut, kubelet::Kubelet, people::People};
use crate::support::World;

const CLUSTER: Kind = Kind::RealtimeCluster;

const GENEROUS: Duration = Duration::from_mins(1);

/// How often a gateway is heard in well over the time that the operator takes to notice that another
/// one is silent, and to listen.
const LISTENED: u32 = 10;

/// One fleet at a time: a machine that runs several is too slow for all of them.
static TURN: Mutex<()> = Mutex::const_new(());

/// A fleet over NATS, whose gateways run, and people connected to it.
struct Stage {
    world: World,
    kubelet: Kubelet,
    people: People,
    nats: Server,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    async fn set(replicas: u32, people: usize) -> Self {
        let stage = Self::begin(replicas, async |_, _| {}).await;
        stage
            .world
            .says(CLUSTER, "chat", "Reconciling", "False", "Done")
            .await;
        let people = People::connect(&stage.world, people).await;
        Self { people, ..stage }
    }

    /// A fleet that starts, with nobody there. `before` does something to NATS before that.
    async fn begin(replicas: u32, before: impl AsyncFnOnce(&World, &Server)) -> Self {
        let turn = TURN.lock().await;
        let nats = Server::start(Settings::default().jetstream()).await;
        let world = World::new().await;
        before(&world, &nats).await;
        let spec = json!({
            "auth": {"required": false},
            "gateway": {"replicas": replicas, "image": "gateway:1"},
            "limits": {"connectionsPerIP": 100_000},
            "drain": {"settle": "1s", "window": "2s", "connectionsPerSecond": 100, "deadline": "30s"},
            "backbone": {"nats": {"external": {"url": nats.url()}}},
            "observability": {"podMonitor": false},
        });
        world.cluster("chat", spec).await;
        let kubelet = Kubelet::start(&world, "chat");
        let people = People::connect(&world, 0).await;
        Self {
            world,
            kubelet,
            people,
            nats,
            _turn: turn,
        }
    }

    fn count_from_now(&self) {
        self.people.count_from_now();
        self.kubelet.count_from_now();
    }

    async fn edit(&self, spec: Value) {
        self.world
            .edit(CLUSTER, "chat", json!({"spec": spec}))
            .await;
    }

    /// The gateways that the Service selects.
    async fn serving(&self) -> Vec<String> {
        let mut pods = self.world.pods().await;
        pods.retain(|pod| pod.labels().contains_key("sluice.dev/serving"));
        pods.iter().map(ResourceExt::name_any).collect()
    }

    /// Makes sure that something is so for longer than the operator listens to a fleet before it
    /// gives one of its gateways up.
    async fn stays(&self, so: impl AsyncFn() -> bool) {
        let names = Names::new(&self.world.namespace, "chat");
        let client = async_nats::connect(self.nats.url()).await.unwrap();
        let heartbeats = client.subscribe(names.heartbeats());
        let mut heartbeats = heartbeats.await.unwrap();
        let mut heard = HashMap::<String, u32>::new();
        while heard.values().all(|times| *times < LISTENED) {
            let heartbeat = timeout(GENEROUS, heartbeats.next()).await.unwrap();
            let heartbeat: Value = serde_json::from_slice(&heartbeat.unwrap().payload).unwrap();
            *heard.entry(heartbeat["name"].to_string()).or_default() += 1;
            assert!(so().await);
        }
    }

    async fn status(&self) -> Value {
        let cluster = self.world.get(CLUSTER, "chat").await.unwrap();
        cluster.data["status"].clone()
    }

    /// Waits until only the revision with this image is there, with so many gateways, and the
    /// operator has nothing left to do.
    async fn rests(&self, image: &str, gateways: usize) {
        until(
            &format!("{gateways} gateways of {image} are all there is"),
            async || {
                let pods = self.world.pods().await;
                let right = |pod: &kube::core::DynamicObject| {
                    pod.data["spec"]["containers"][0]["image"] == image
                        && pod.labels().get("sluice.dev/serving").map(String::as_str)
                            == Some("true")
                };
                pods.len() == gateways && pods.iter().all(right)
            },
        )
        .await;
        self.world
            .says(CLUSTER, "chat", "Reconciling", "False", "Done")
            .await;
        self.people.all_connected().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "whole fleets, one at a time: cargo test -p sluice-operator --test apiserver -- --ignored --test-threads 1"]
async fn a_rollout_moves_each_client_once_and_says_how_far_it_is() {
    let stage = Stage::set(3, 60).await;
    let before = stage.status().await["revision"].clone();
    stage.count_from_now();
    stage.edit(json!({"gateway": {"image": "gateway:2"}})).await;
    until("connections are moved", async || {
        let rollout = stage.status().await["rollout"].clone();
        rollout["moved"].as_i64() > Some(0) && rollout["remaining"].as_i64() > Some(0)
    })
    .await;
    stage.rests("gateway:2", 3).await;
    let status = stage.status().await;
    assert_ne!(status["revision"], before);
    assert_eq!(status["rollout"], Value::Null);
    assert_eq!(stage.people.moves(), vec![1; 60], "each one was moved once");
    assert!(
        stage.people.refused() == 0,
        "everyone found a gateway at once"
    );
    assert!(
        stage.kubelet.fewest() >= 3,
        "no fewer gateways were ready than wanted"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "whole fleets, one at a time: cargo test -p sluice-operator --test apiserver -- --ignored --test-threads 1"]
async fn a_rollout_goes_on_when_the_operator_dies_in_the_middle() {
    let mut stage = Stage::set(2, 30).await;
    stage.count_from_now();
    stage.edit(json!({"gateway": {"image": "gateway:2"}})).await;
    until("connections are moved", async || {
        stage.status().await["rollout"]["moved"].as_i64() > Some(0)
    })
    .await;
    stage.world.kill();
    stage.world.start();
    stage.rests("gateway:2", 2).await;
    assert_eq!(stage.people.moves(), vec![1; 30]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "whole fleets, one at a time: cargo test -p sluice-operator --test apiserver -- --ignored --test-threads 1"]
async fn an_undone_rollout_moves_nobody_twice() {
    let stage = Stage::set(2, 40).await;
    stage.count_from_now();
    stage.edit(json!({"gateway": {"image": "gateway:2"}})).await;
    until("some have been moved", async || {
        stage.status().await["rollout"]["moved"].as_i64() > Some(0)
    })
    .await;
    stage.edit(json!({"gateway": {"image": "gateway:1"}})).await;
    stage.rests("gateway:1", 2).await;
    let moves = stage.people.moves();
    assert!(moves.iter().all(|moves| *moves <= 2), "{moves:?}");
    assert!(
        moves.contains(&0),
        "those who had not moved stayed: {moves:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "whole fleets, one at a time: cargo test -p sluice-operator --test apiserver -- --ignored --test-threads 1"]
async fn a_scale_down_drains_first_and_removes_no_pod_with_clients() {
    let stage = Stage::set(3, 45).await;
    stage.count_from_now();
    stage.edit(json!({"gateway": {"replicas": 1}})).await;
    stage.rests("gateway:1", 1).await;
    let moves = stage.people.moves();
    assert!(moves.iter().all(|moves| *moves <= 1), "{moves:?}");
    assert_eq!(stage.kubelet.cut(), 0, "no pod was deleted with clients");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "whole fleets, one at a time: cargo test -p sluice-operator --test apiserver -- --ignored --test-threads 1"]
async fn a_gateway_that_was_killed_leaves_the_service_before_its_node_tells() {
    let stage = Stage::set(2, 20).await;
    let victim = stage.world.pods().await[0].name_any();
    stage.kubelet.kill(&victim);
    until("it is out of the Service", async || {
        let pods = stage.world.pods().await;
        let pod = pods.iter().find(|pod| pod.name_any() == victim).unwrap();
        let ready = &pod.data["status"]["conditions"][0]["status"];
        assert_eq!(ready, "True", "its node has not told");
        !pod.labels().contains_key("sluice.dev/serving")
    })
    .await;
    stage.kubelet.notice();
    stage.rests("gateway:1", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "whole fleets, one at a time: cargo test -p sluice-operator --test apiserver -- --ignored --test-threads 1"]
async fn a_gateway_whose_node_is_gone_leaves_the_service_before_kubernetes_knows() {
    let mut stage = Stage::set(3, 0).await;
    let victim = stage.world.pods().await[0].name_any();
    let cut = Cut::off(&stage.world, &stage.kubelet, &victim).await;
    let started = Instant::now();
    until("it is out of the Service", async || {
        !stage.serving().await.contains(&victim)
    })
    .await;
    println!("out of the Service after {:?}", started.elapsed());
    assert_eq!(stage.serving().await.len(), 2, "the others serve");

    // Another operator does not send anybody there, and neither does one that knows by now.
    stage.world.kill();
    stage.world.start();
    stage
        .stays(async || !stage.serving().await.contains(&victim))
        .await;
    cut.mend(&stage.world, &stage.kubelet).await;
    stage.rests("gateway:1", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "whole fleets, one at a time: cargo test -p sluice-operator --test apiserver -- --ignored --test-threads 1"]
async fn a_gateway_that_only_the_operator_cannot_reach_goes_on_serving() {
    let stage = Stage::set(2, 0).await;
    let victim = stage.world.pods().await[0].name_any();
    let cut = Cut::off(&stage.world, &stage.kubelet, &victim).await;
    cut.go_on();
    stage
        .stays(async || stage.serving().await.contains(&victim))
        .await;
    cut.mend(&stage.world, &stage.kubelet).await;
    stage.rests("gateway:1", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "whole fleets, one at a time: cargo test -p sluice-operator --test apiserver -- --ignored --test-threads 1"]
async fn new_gateways_that_never_start_leave_the_old_ones_as_they_are() {
    let stage = Stage::set(2, 20).await;
    stage.count_from_now();
    stage.edit(json!({"gateway": {"image": "broken:1"}})).await;
    let message = stage
        .world
        .says(
            CLUSTER,
            "chat",
            "Reconciling",
            "True",
            "NewRevisionStarting",
        )
        .await;
    assert!(
        message.contains("those of the old revision serve until then"),
        "{message}"
    );
    stage.edit(json!({"gateway": {"image": "gateway:1"}})).await;
    stage.rests("gateway:1", 2).await;
    assert_eq!(stage.people.moves(), vec![0; 20]);
}
