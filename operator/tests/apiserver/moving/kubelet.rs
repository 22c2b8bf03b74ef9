//! Runs a gateway for each pod, as a kubelet would.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kube::{
    Api, ResourceExt as _,
    api::{ListParams, Patch, PatchParams},
    core::DynamicObject,
};
use serde_json::json;
use sluice_operator::Kind;
use sluice_test_nats::Folder;
use sluice_test_programs::gateway;
use tokio::{
    process::{Child, Command},
    task::JoinHandle,
    time::sleep,
};

use crate::support::World;

/// The gateways of a cluster, and those who look after them.
pub(crate) struct Kubelet {
    task: JoinHandle<()>,
    seen: Arc<Seen>,
}

/// What is remembered for the test.
#[derive(Default)]
struct Seen {
    /// The fewest gateways that were ready at any time.
    fewest: AtomicUsize,
    /// The connections that pods had when they were deleted.
    cut: AtomicUsize,
    /// The gateway that is left alone: its end is not noticed.
    left: Mutex<Option<String>>,
    /// The process of each gateway.
    processes: Mutex<HashMap<String, u32>>,
}

impl Kubelet {
    /// Looks after the gateways of a cluster from now on.
    pub(crate) fn start(world: &World, cluster: &str) -> Self {
        let seen = Arc::new(Seen::default());
        let node = Node {
            pods: world.api(Kind::Pod),
            maps: world.api(Kind::ConfigMap),
            secrets: world.api(Kind::Secret),
            cluster: cluster.to_owned(),
            network: rand::random_range(0x7f01_0000..0x7fff_0000_u32) & 0xffff_ff00,
            next: 1,
            gateways: HashMap::new(),
            seen: Arc::clone(&seen),
        };
        Self {
            task: tokio::spawn(node.run()),
            seen,
        }
    }

    /// Forgets what was counted.
    pub(crate) fn count_from_now(&self) {
        self.seen.fewest.store(usize::MAX, Ordering::Relaxed);
        self.seen.cut.store(0, Ordering::Relaxed);
    }

    /// The fewest gateways that were ready at any time.
    pub(crate) fn fewest(&self) -> usize {
        self.seen.fewest.load(Ordering::Relaxed)
    }

    /// How many connections deleted pods had.
    pub(crate) fn cut(&self) -> usize {
        self.seen.cut.load(Ordering::Relaxed)
    }
}

impl Kubelet {
    /// Notices nothing of the gateway of a pod from now on; says which process it is.
    pub(crate) fn leave(&self, pod: &str) -> u32 {
        *self.seen.left.lock().unwrap() = Some(pod.to_owned());
        self.seen.processes.lock().unwrap()[pod]
    }

    /// Kills the gateway of a pod, and does not notice.
    pub(crate) fn kill(&self, pod: &str) {
        let id = self.leave(pod);
        let killed = std::process::Command::new("kill")
            .args(["-9", &id.to_string()])
            .status();
        assert!(killed.unwrap().success());
    }

    /// Notices what it did not.
    pub(crate) fn notice(&self) {
        *self.seen.left.lock().unwrap() = None;
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Node {
    pods: Api<DynamicObject>,
    maps: Api<DynamicObject>,
    secrets: Api<DynamicObject>,
    cluster: String,
    /// The first three bytes of the pods' addresses.
    network: u32,
    next: u32,
    gateways: HashMap<String, Gateway>,
    seen: Arc<Seen>,
}

struct Gateway {
    process: Child,
    address: String,
    ready: bool,
    connections: usize,
    folder: Folder,
}

impl Node {
    async fn run(mut self) {
        let params = ListParams::default().labels("app.kubernetes.io/component=gateway");
        loop {
            if let Ok(pods) = self.pods.list(&params).await {
                for pod in &pods {
                    self.look_after(pod).await;
                }
                self.end_others(&pods.items);
                self.count();
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn look_after(&mut self, pod: &DynamicObject) {
        let name = pod.name_any();
        let image = pod.data["spec"]["containers"][0]["image"].as_str();
        if !self.gateways.contains_key(&name) && !image.is_some_and(|it| it.starts_with("broken")) {
            self.start(&name).await;
        }
        let Some(gateway) = self.gateways.get_mut(&name) else {
            return;
        };
        if self.seen.left.lock().unwrap().as_ref() == Some(&name) {
            return;
        }
        if gateway.process.try_wait().unwrap().is_some() {
            gateway.process = run(&name, &gateway.address, gateway.folder.path());
        }
        if let Some(id) = gateway.process.id() {
            let mut processes = self.seen.processes.lock().unwrap();
            processes.insert(name.clone(), id);
        }
        let (ready, connections) = look(&gateway.address).await;
        // It may have been left while it was looked at.
        if self.seen.left.lock().unwrap().as_ref() == Some(&name) {
            return;
        }
        gateway.connections = connections.unwrap_or(gateway.connections);
        if ready != gateway.ready && say(&self.pods, &name, &gateway.address, ready).await {
            gateway.ready = ready;
        }
    }

    async fn start(&mut self, name: &str) {
        let folder = Folder::new();
        let map = self
            .maps
            .get(&format!("{}-documents", self.cluster))
            .await
            .unwrap();
        for (file, text) in map.data["data"].as_object().unwrap() {
            fs::write(folder.path().join(file), text.as_str().unwrap()).unwrap();
        }
        let secret = self
            .secrets
            .get(&format!("{}-operator", self.cluster))
            .await
            .unwrap();
        let key = k8s_openapi::ByteString::default();
        let key: k8s_openapi::ByteString =
            serde_json::from_value(secret.data["data"]["key"].clone()).unwrap_or(key);
        fs::write(folder.path().join("operator.key"), key.0).unwrap();
        let [a, b, c, _] = self.network.to_be_bytes();
        let address = format!("{a}.{b}.{c}.{}", self.next);
        self.next += 1;
        let process = run(name, &address, folder.path());
        let gateway = Gateway {
            process,
            address,
            ready: false,
            connections: 0,
            folder,
        };
        self.gateways.insert(name.to_owned(), gateway);
    }

    /// Ends the processes of pods that are there no more.
    fn end_others(&mut self, pods: &[DynamicObject]) {
        let gone = |name: &String| !pods.iter().any(|pod| pod.name_any() == *name);
        let names: Vec<_> = self
            .gateways
            .keys()
            .filter(|name| gone(name))
            .cloned()
            .collect();
        for name in names {
            let Some(mut gateway) = self.gateways.remove(&name) else {
                continue;
            };
            self.seen
                .cut
                .fetch_add(gateway.connections, Ordering::Relaxed);
            // One that has ended by itself has no id any more.
            if let Some(id) = gateway.process.id() {
                let _ = std::process::Command::new("kill")
                    .arg(id.to_string())
                    .status();
            }
            tokio::spawn(async move { gateway.process.wait().await });
        }
    }

    fn count(&self) {
        let ready = self
            .gateways
            .values()
            .filter(|gateway| gateway.ready)
            .count();
        self.seen.fewest.fetch_min(ready, Ordering::Relaxed);
    }
}

/// A gateway with the documents and the key in a folder.
fn run(name: &str, address: &str, folder: &Path) -> Child {
    let at = |port: u16| format!("{address}:{port}");
    Command::new(gateway())
        .args(["--name", name, "--log", "warn"])
        .arg("--config")
        .arg(folder)
        .arg("--operator-key")
        .arg(folder.join("operator.key"))
        .args([
            "--listen",
            &at(3000),
            "--api-listen",
            &at(3001),
            "--ops-listen",
            &at(3002),
        ])
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Whether a gateway is ready, and how many connections it says it has.
async fn look(address: &str) -> (bool, Option<usize>) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(2));
    let client = client.build().unwrap();
    let live = client
        .get(format!("http://{address}:3002/livez"))
        .send()
        .await;
    let live = live.is_ok_and(|answer| answer.status().is_success());
    let Ok(metrics) = client
        .get(format!("http://{address}:3002/metrics"))
        .send()
        .await
    else {
        return (live, None);
    };
    let text = metrics.text().await.unwrap_or_default();
    let count = text
        .lines()
        .find_map(|line| line.strip_prefix("sluice_connections "));
    (live, count.and_then(|count| count.parse().ok()))
}

/// Says how a pod is; false where the API server did not take it.
pub(crate) async fn say(pods: &Api<DynamicObject>, name: &str, address: &str, ready: bool) -> bool {
    let is = if ready { "True" } else { "False" };
    let state = if ready {
        json!({"running": {}})
    } else {
        json!({"waiting": {}})
    };
    let status = json!({"status": {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": is}],
        "containerStatuses": [{
            "name": "gateway", "ready": ready, "restartCount": 0, "image": "gateway", "imageID": "",
            "state": state,
        }],
    }});
    let said = pods
        .patch_status(name, &PatchParams::default(), &Patch::Merge(status))
        .await;
    said.is_ok()
}
