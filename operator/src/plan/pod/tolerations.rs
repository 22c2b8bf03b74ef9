//! How long a gateway stays on a node that says nothing.

use k8s_openapi::api::core::v1::Toleration;
use serde_json::{Value, json};

use crate::plan::json_of;

/// The taints of a node that is gone, or that its kubelet says is unwell.
const DEAD: [&str; 2] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
];

/// How long a gateway's place is kept for it on such a node, in seconds. Its clients are elsewhere
/// long before; what it bounds is how long the fleet has one gateway less. Kubernetes itself would
/// wait for five minutes, which suits what has a disk, not what has nothing but connections.
const KEPT: u32 = 30;

/// What the user tolerates, and dead nodes for a while, unless the user says how long.
pub(super) fn tolerations(wanted: &[Toleration]) -> Value {
    let own = wanted.iter().map(json_of);
    let unsaid = DEAD
        .into_iter()
        .filter(|taint| !wanted.iter().any(|own| speaks_of(own, taint)));
    let dead = unsaid.map(|taint| {
        json!({"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": KEPT})
    });
    own.chain(dead).collect()
}

/// Whether a toleration decides about the taint, as an API server sees it when it adds its own.
fn speaks_of(toleration: &Toleration, taint: &str) -> bool {
    let none_or = |field: &Option<String>, value: &str| {
        field
            .as_deref()
            .is_none_or(|it| it.is_empty() || it == value)
    };
    none_or(&toleration.key, taint) && none_or(&toleration.effect, "NoExecute")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(value: Value) -> Vec<Toleration> {
        serde_json::from_value(value).unwrap()
    }

    fn seconds(all: &Value, taint: &str) -> Vec<Option<u64>> {
        let of = |it: &&Value| it["key"] == taint;
        let all = all.as_array().unwrap().iter().filter(of);
        all.map(|it| it["tolerationSeconds"].as_u64()).collect()
    }

    #[test]
    fn a_gateway_on_a_dead_node_is_replaced_after_half_a_minute() {
        let all = tolerations(&[]);
        assert!(DEAD.iter().all(|taint| seconds(&all, taint) == [Some(30)]));
    }

    #[test]
    fn what_the_user_tolerates_comes_first_and_stays() {
        let taint = json!({"key": "pool", "operator": "Exists", "effect": "NoExecute"});
        let all = tolerations(&own(json!([taint])));
        assert_eq!(all[0], taint);
        assert_eq!(all.as_array().unwrap().len(), 3);
    }

    #[test]
    fn who_says_how_long_a_dead_node_is_tolerated_decides() {
        let said = json!([{"key": DEAD[1], "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 600}]);
        let all = tolerations(&own(said));
        assert_eq!(seconds(&all, DEAD[0]), [Some(30)]);
        assert_eq!(seconds(&all, DEAD[1]), [Some(600)]);
    }

    #[test]
    fn who_tolerates_everything_keeps_gateways_on_dead_nodes() {
        let everything = json!([{"operator": "Exists"}]);
        assert_eq!(tolerations(&own(everything.clone())), everything);
        // New pods alone are meant by this one.
        let new = json!([{"operator": "Exists", "effect": "NoSchedule"}]);
        assert_eq!(tolerations(&own(new)).as_array().unwrap().len(), 3);
    }
}
