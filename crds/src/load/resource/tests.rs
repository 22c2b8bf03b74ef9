//! What the definitions must be so that an API server takes them and people understand them.

use kube::core::cel::{Validator, estimate_rule_cost};
use proptest::prelude::*;

use super::*;
use crate::{Duration, RoomSpec, duration};

/// Fields whose types are Kubernetes' own; their inner fields are described there.
const FOREIGN: [&str; 6] = [
    "spec.gateway.affinity",
    "spec.gateway.imagePullSecrets",
    "spec.gateway.resources",
    "spec.gateway.tolerations",
    "spec.gateway.topologySpreadConstraints",
    "status.conditions",
];

fn definitions() -> [Value; 2] {
    [definition::<RealtimeCluster>(), definition::<Room>()]
}

/// Calls `visit` with each node of a schema and its path.
fn walk(schema: &Value, path: &str, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, schema);
    for (key, field) in schema["properties"].as_object().into_iter().flatten() {
        walk(field, &schema::join(path, key), visit);
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(node) = schema.get(inner).filter(|node| node.is_object()) {
            walk(node, &format!("{path}[]"), visit);
        }
    }
}

/// Calls `visit` with each node of both definitions' schemas.
fn each_node(mut visit: impl FnMut(&str, &Value)) {
    for definition in definitions() {
        walk(&schema_of(&definition), "", &mut visit);
    }
}

#[test]
fn every_default_is_accepted_by_its_own_schema() {
    each_node(|path, node| {
        let Some(default) = node.get("default") else {
            return;
        };
        let findings = schema::check(node, default, path);
        assert!(findings.is_empty(), "{path}: {findings:?}");
        let broken = Validator::new().validate(node, default, None);
        assert!(broken.is_ok(), "{path}: {broken:?}");
    });
}

#[test]
fn every_field_has_a_description_of_whole_sentences() {
    each_node(|path, node| {
        let foreign = FOREIGN
            .iter()
            .any(|it| path.len() > it.len() && path.starts_with(it));
        if path.is_empty() || path.ends_with("[]") || foreign {
            return;
        }
        let description = node["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.'), "{path}: {description:?}");
    });
}

#[test]
fn every_rule_compiles_has_bounded_cost_and_says_what_to_do() {
    let mut count = 0;
    each_node(|path, node| {
        let compiled = compile_schema(node);
        for rule in node["x-kubernetes-validations"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let text = rule["rule"].as_str().unwrap();
            let warnings = estimate_rule_cost(text, &compiled);
            assert!(warnings.is_empty(), "{path}: {text}: {warnings:?}");
            let message = rule["message"].as_str().unwrap_or_default();
            assert!(
                message.len() > 20 && !message.contains('\n'),
                "{path}: {message:?}"
            );
            count += 1;
        }
        let broken = compiled.compilation_errors();
        assert!(broken.is_empty(), "{path}: {broken:?}");
    });
    assert!(count > 30, "only {count} rules were seen");
}

#[test]
fn a_rule_points_to_a_field_that_exists() {
    each_node(|path, node| {
        for rule in node["x-kubernetes-validations"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let Some(field) = rule["fieldPath"].as_str() else {
                continue;
            };
            let found = field
                .trim_start_matches('.')
                .split('.')
                .try_fold(node, |node, key| node["properties"].get(key));
            assert!(found.is_some(), "{path}: there is no {field}");
        }
    });
}

#[test]
fn the_schema_uses_only_what_an_api_server_treats_as_this_crate_does() {
    let formats = ["int32", "int64", "date-time"];
    each_node(|path, node| {
        assert!(node.get("nullable").is_none(), "{path} is nullable");
        for keyword in ["oneOf", "anyOf", "allOf", "not", "$ref"] {
            assert!(node.get(keyword).is_none(), "{path} has {keyword}");
        }
        let format = node["format"].as_str().unwrap_or("int32");
        assert!(formats.contains(&format), "{path} has the format {format}");
        let pattern = node["pattern"].as_str().unwrap_or(duration::PATTERN);
        assert_eq!(pattern, duration::PATTERN, "{path}");
    });
}

#[test]
fn the_scale_subresource_points_to_fields_that_exist() {
    let [cluster, _] = definitions();
    let schema = schema_of(&cluster);
    let scale = cluster
        .pointer("/spec/versions/0/subresources/scale")
        .unwrap();
    for (name, path) in scale.as_object().unwrap() {
        let path = path.as_str().unwrap();
        let node = path
            .trim_start_matches('.')
            .split('.')
            .try_fold(&schema, |node, key| node["properties"].get(key));
        assert!(node.is_some(), "{name}: there is no {path}");
    }
}

#[test]
fn a_definition_is_small_enough_for_kubectl_apply() {
    for definition in definitions() {
        // kubectl keeps the last applied object in an annotation of at most 256 KiB.
        assert!(definition.to_string().len() < 200_000);
    }
}

fn change_of_room(old: &RoomSpec, new: &RoomSpec) -> Vec<String> {
    let schema = schema_of(&definition::<Room>());
    let value = |spec: &RoomSpec| json!({"spec": spec});
    match Validator::new().validate(&schema, &value(new), Some(&value(old))) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    }
}

#[test]
fn a_room_stays_with_its_cluster_and_namespace() {
    let old = RoomSpec::new("chat", "a");
    let other_cluster = RoomSpec::new("talk", "a");
    assert_eq!(
        change_of_room(&old, &other_cluster),
        [
            "spec.clusterRef: clusterRef cannot be changed: delete this Room and create one for the other RealtimeCluster"
        ]
    );
    let other_namespace = RoomSpec {
        namespace: "/b".to_owned(),
        ..old.clone()
    };
    assert_eq!(
        change_of_room(&old, &other_namespace),
        [
            "spec.namespace: namespace cannot be changed: delete this Room and create one for the other namespace"
        ]
    );
    assert!(
        change_of_room(
            &old,
            &RoomSpec {
                match_: "b".to_owned(),
                ..old.clone()
            }
        )
        .is_empty()
    );
}

proptest! {
    #[test]
    fn the_pattern_accepts_every_duration_that_is_printed(millis in any::<u32>()) {
        let text = Duration::from_millis(millis).to_string();
        let rule = format!("'{text}'.matches('{}')", duration::PATTERN.replace('\\', "\\\\"));
        let program = kube::core::cel::cel::Program::compile(&rule).unwrap();
        let context = kube::core::cel::cel::Context::default();
        prop_assert_eq!(program.execute(&context).unwrap(), true.into());
    }
}

#[test]
fn an_api_server_refuses_limits_that_take_what_cannot_be_delivered() {
    let broken = |limits: Value| {
        let value = json!({"metadata": {"name": "chat"}, "spec": {"auth": {"required": false}, "limits": limits}});
        let value = apply_defaults(&CLUSTER.schema, &value);
        let found = Validator::new().validate_compiled(&CLUSTER.rules, &value, None);
        found.err().map_or(0, |broken| broken.into_iter().count())
    };
    assert_eq!(broken(json!({})), 0);
    assert_eq!(broken(json!({"outboundBytes": 1024})), 0);
    assert_eq!(
        broken(json!({"payloadBytes": 2_097_152, "outboundBytes": 1_048_576})),
        1
    );
    assert_eq!(broken(json!({"payloadBytes": 2_097_152})), 0);
    assert_eq!(broken(json!({"payloadBytes": 4_194_304})), 1);
}
