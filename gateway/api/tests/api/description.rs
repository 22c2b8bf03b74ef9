use serde_json::Value;

use crate::harness::{assert_refused, start};

#[tokio::test]
async fn the_description_needs_no_key_and_is_the_committed_one() {
    let api = start().await;
    let response = api
        .http
        .get(format!("{}/v1/openapi.json", api.url))
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let served: Value = response.json().await.unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        serde_json::from_str::<Value>(&committed).ok() == Some(served),
        "docs/openapi.json is not what the routes say; run: cargo run -p sluice-api --example openapi"
    );
}

#[tokio::test]
async fn every_described_operation_is_there() {
    let api = start().await;
    let description: Value = serde_json::from_str(sluice_api::openapi()).unwrap();
    let mut operations = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase().parse().unwrap();
            let (status, body) = crate::harness::answer(api.request(method, path)).await;
            let code = body["error"]["code"].as_str().unwrap_or("ok");
            assert!(
                !["operation_unknown", "method_not_allowed"].contains(&code),
                "{path} {status}"
            );
            operations += 1;
        }
        assert_refused(
            &crate::harness::answer(api.request(reqwest::Method::PATCH, path)).await,
            405,
            "method_not_allowed",
        );
    }
    assert_eq!(operations, 18);
}

#[test]
fn every_reference_leads_to_a_schema() {
    let description: Value = serde_json::from_str(sluice_api::openapi()).unwrap();
    let text = sluice_api::openapi();
    let references: Vec<&str> = text
        .split("\"$ref\": \"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(!references.is_empty());
    for reference in references {
        assert!(description.pointer(reference).is_some(), "{reference}");
    }
}
