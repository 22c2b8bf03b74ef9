//! Which wire version is finalised, with real gateways.

use kube::ResourceExt;
use serde_json::json;
use sluice_bucket::{Connection, Login};
use sluice_contract::{Names, Role, WireVersion};
use sluice_nats::link::Logins;
use sluice_test_apiserver::until;

use super::{CLUSTER, Stage};

async fn bucket(stage: &Stage) -> Connection {
    let login = Login {
        urls: stage.nats.url(),
        logins: Logins::default(),
        certificates: None,
        name: "test".to_owned(),
        role: Role::Gateway,
    };
    let names = Names::new(&stage.world.namespace, "chat");
    let connection = Connection::open(&login, names).await.unwrap();
    connection.connected().await;
    connection
}

async fn finalised(stage: &Stage, version: u32) {
    until(
        &format!("the status says that {version} is finalised"),
        async || stage.status().await["wireVersion"] == version,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "whole fleets, one at a time: cargo test -p sluice-operator --test apiserver -- --ignored --test-threads 1"]
async fn a_rollout_is_finalised_and_no_way_leads_back_beyond_it() {
    let mut stage = Stage::set(2, 10).await;
    finalised(&stage, WireVersion::CURRENT.0).await;
    let bucket = bucket(&stage).await;
    let said = bucket.finalised().await.unwrap();
    assert_eq!(
        said,
        Some(WireVersion::CURRENT),
        "gateways are told the same"
    );

    // As a later version does, whose rollout ended before this one came back.
    let later = WireVersion(WireVersion::CURRENT.0 + 1);
    assert_eq!(bucket.finalise(later).await.unwrap(), later);
    // An operator looks at the bucket when it starts, and once a minute.
    stage.world.kill();
    stage.world.start();
    finalised(&stage, later.0).await;
    stage.count_from_now();
    stage.edit(json!({"gateway": {"image": "gateway:2"}})).await;
    let told = stage
        .world
        .says(CLUSTER, "chat", "Ready", "False", "WireVersionTooOld")
        .await;
    assert!(told.contains("go forward instead"), "{told}");
    until("the new revision has a gateway", async || {
        let pods = stage.world.pods().await;
        let new = |pod: &kube::core::DynamicObject| {
            pod.data["spec"]["containers"][0]["image"] == "gateway:2"
        };
        pods.iter().any(new)
    })
    .await;
    stage
        .stays(async || {
            let pods = stage.world.pods().await;
            pods.iter().all(|pod| {
                let old = pod.data["spec"]["containers"][0]["image"] == "gateway:1";
                old || pod.data["status"]["conditions"][0]["status"] != "True"
                    || !pod.labels().contains_key("sluice.dev/serving")
            })
        })
        .await;
    assert_eq!(stage.people.moves(), vec![0; 10], "who was there stays");
    assert_eq!(stage.kubelet.cut(), 0, "no pod was deleted with clients");
}
