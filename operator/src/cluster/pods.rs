//! What a pod says of itself.

use serde_json::Value;

use crate::{Object, reason, trouble::Trouble};

/// Whether a pod, or a fleet, says that it does what it is for.
pub(super) fn is_ready(pod: &Object) -> bool {
    !pod.is_deleted() && condition(&pod.field("status"), "Ready") == Some("True")
}

/// Whether a pod's container runs.
pub(super) fn is_running(pod: &Object) -> bool {
    let status = pod.field("status");
    let containers = status.get("containerStatuses").and_then(Value::as_array);
    match containers {
        Some(containers) => containers
            .iter()
            .any(|it| it.pointer("/state/running").is_some()),
        None => status.get("phase").and_then(Value::as_str) == Some("Running"),
    }
}

/// Whether a pod is there and is not about to go.
pub(super) fn runs(pod: &Object) -> bool {
    !pod.is_deleted() && !is_over(pod)
}

/// Whether a pod has ended for good: its node evicted it, say. Deployments do not count it.
pub(super) fn is_over(pod: &Object) -> bool {
    let status = pod.field("status");
    let phase = status.get("phase").and_then(Value::as_str);
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn condition<'a>(status: &'a Value, of: &str) -> Option<&'a str> {
    find(status, of)?.get("status")?.as_str()
}

fn find<'a>(status: &'a Value, of: &str) -> Option<&'a Value> {
    let conditions = status.get("conditions")?.as_array()?;
    conditions
        .iter()
        .find(|it| it.get("type").and_then(Value::as_str) == Some(of))
}

/// What keeps a pod from running, as far as a person can do something about it.
pub(super) fn trouble(pod: &Object) -> Option<Trouble> {
    if pod.is_deleted() {
        return None;
    }
    let status = pod.field("status");
    waiting(pod, &status).or_else(|| unschedulable(pod, &status))
}

fn waiting(pod: &Object, status: &Value) -> Option<Trouble> {
    let containers = status.get("containerStatuses")?.as_array()?;
    containers.iter().find_map(|container| {
        let waiting = container.pointer("/state/waiting")?;
        let reason = waiting.get("reason")?.as_str()?;
        let said = waiting
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or(reason);
        let image = container
            .get("image")
            .and_then(Value::as_str)
            .unwrap_or_default();
        why(pod.name(), reason, image, said)
    })
}

fn why(pod: &str, reason: &str, image: &str, said: &str) -> Option<Trouble> {
    let (reason, message) = match reason {
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => (
            reason::IMAGE_PULL,
            format!(
                "the image {image} of the pod {pod} cannot be pulled ({said}); correct its name, or give imagePullSecrets"
            ),
        ),
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => (
            reason::CONTAINER_REFUSED,
            format!("the container of the pod {pod} cannot be made ({said}); make what it names"),
        ),
        "CrashLoopBackOff" => (
            reason::CRASHING,
            format!(
                "the pod {pod} ends again and again ({said}); look at it with kubectl logs {pod} --previous"
            ),
        ),
        _ => return None,
    };
    Some(Trouble::waits(reason, message))
}

fn unschedulable(pod: &Object, status: &Value) -> Option<Trouble> {
    let scheduled = find(status, "PodScheduled")?;
    let is = |field: &str, value: &str| scheduled.get(field).and_then(Value::as_str) == Some(value);
    if !is("status", "False") || !is("reason", "Unschedulable") {
        return None;
    }
    let said = scheduled
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let message = format!(
        "no node takes the pod {} ({said}); add nodes, or ask for less",
        pod.name()
    );
    Some(Trouble::waits(reason::UNSCHEDULABLE, message))
}

/// Why a `Deployment` or `StatefulSet` makes no pods.
pub(super) fn not_made(kind: &str, object: &Object) -> Option<Trouble> {
    let status = object.field("status");
    let failure = find(&status, "ReplicaFailure")?;
    if failure.get("status").and_then(Value::as_str) != Some("True") {
        return None;
    }
    let said = failure
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let (reason, what) = if said.contains("exceeded quota") {
        (
            reason::QUOTA_EXCEEDED,
            "a ResourceQuota of the Kubernetes namespace is used up; raise it or free some",
        )
    } else {
        (reason::PODS_REFUSED, "change what it names")
    };
    let message = format!(
        "the {kind} {} cannot make its pods ({said}): {what}",
        object.name()
    );
    Some(Trouble::waits(reason, message))
}
