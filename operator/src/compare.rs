//! Whether an object is as it was asked for.

use serde_json::{Map, Value};

use crate::quantity;

/// The paths at which an object is not what is wanted of it. What nobody asked for, such as the
/// defaults that an API server fills in, is no difference; and amounts are compared as amounts.
pub(crate) fn differences(wanted: &Value, live: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(wanted, live, &mut String::new(), &mut found);
    found
}

fn compare(wanted: &Value, live: &Value, path: &mut String, found: &mut Vec<String>) {
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => maps(wanted, live, path, found),
        (Value::Array(wanted), Value::Array(live)) => lists(wanted, live, path, found),
        _ if same(wanted, live) => {}
        _ => found.push(path.clone()),
    }
}

/// An API server leaves out what is empty.
fn same(wanted: &Value, live: &Value) -> bool {
    match (wanted, live) {
        (Value::String(wanted), Value::String(live)) => {
            wanted == live || quantity::same(wanted, live)
        }
        (Value::Number(wanted), Value::String(live)) => quantity::same(&wanted.to_string(), live),
        (Value::String(wanted), Value::Number(live)) => quantity::same(wanted, &live.to_string()),
        (Value::Object(wanted), Value::Null) => wanted.is_empty(),
        (Value::Array(wanted), Value::Null) => wanted.is_empty(),
        (wanted, live) => wanted == live,
    }
}

fn maps(
    wanted: &Map<String, Value>,
    live: &Map<String, Value>,
    path: &mut String,
    found: &mut Vec<String>,
) {
    for (key, wanted) in wanted {
        // Who watches a kind knows these, and objects are kept without them.
        if path.is_empty() && (key == "apiVersion" || key == "kind") {
            continue;
        }
        let live = live.get(key).unwrap_or(&Value::Null);
        within(path, key, |path| compare(wanted, live, path, found));
    }
}

/// Items that have a name are found by it, as an API server does, among items of others;
/// other lists are ours as a whole.
fn lists(wanted: &[Value], live: &[Value], path: &mut String, found: &mut Vec<String>) {
    let named = wanted.iter().all(|item| name(item).is_some()) && !wanted.is_empty();
    if !named && wanted.len() != live.len() {
        found.push(path.clone());
        return;
    }
    for (index, wanted) in wanted.iter().enumerate() {
        let live = if named {
            live.iter().find(|live| name(live) == name(wanted))
        } else {
            live.get(index)
        };
        let live = live.unwrap_or(&Value::Null);
        within(path, &index.to_string(), |path| {
            compare(wanted, live, path, found);
        });
    }
}

fn name(item: &Value) -> Option<&str> {
    item.get("uid").or_else(|| item.get("name"))?.as_str()
}

fn within(path: &mut String, key: &str, inside: impl FnOnce(&mut String)) {
    let length = path.len();
    if length > 0 {
        path.push('.');
    }
    path.push_str(key);
    inside(path);
    path.truncate(length);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_and_items_of_others_are_no_difference() {
        let wanted = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "spec": {"containers": [{"name": "a", "resources": {"cpu": "1000m"}, "env": []}], "selector": {}},
        });
        let live = json!({
            "spec": {
                "containers": [{"name": "sidecar"}, {"name": "a", "resources": {"cpu": "1"}, "policy": "Always"}],
                "paused": false,
            },
        });
        assert_eq!(differences(&wanted, &live), Vec::<String>::new());
    }

    #[test]
    fn what_was_edited_is_named() {
        let wanted =
            json!({"spec": {"ports": [{"port": 80}], "type": "ClusterIP", "labels": {"a": "b"}}});
        let live = json!({"spec": {"ports": [{"port": 81}], "type": "NodePort", "labels": {}}});
        assert_eq!(
            differences(&wanted, &live),
            ["spec.labels.a", "spec.ports.0.port", "spec.type"]
        );
        let more = json!({"spec": {"ports": [{"port": 80}, {"port": 81}]}});
        assert_eq!(
            differences(&json!({"spec": {"ports": [{"port": 80}]}}), &more),
            ["spec.ports"]
        );
    }
}
