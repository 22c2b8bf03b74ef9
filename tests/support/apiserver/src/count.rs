//! What an API server counts.

/// The verbs of requests that write.
const WRITES: [&str; 6] = [
    "POST",
    "PUT",
    "PATCH",
    "APPLY",
    "DELETE",
    "DELETECOLLECTION",
];

/// The requests that wrote to objects of these kinds.
#[expect(clippy::cast_sign_loss, reason = "a counter is never negative")]
pub(crate) fn writes(metrics: &str, kinds: &[&str]) -> u64 {
    let lines = metrics
        .lines()
        .filter(|line| line.starts_with("apiserver_request_total{"));
    let counted = lines.filter(|line| {
        let is = |label: &str, values: &[&str]| {
            values
                .iter()
                .any(|value| line.contains(&format!("{label}=\"{value}\"")))
        };
        is("verb", &WRITES) && is("resource", kinds)
    });
    let values = counted.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    values.sum::<f64>() as u64
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_writes_to_the_kinds_count() {
        let metrics = "
# HELP apiserver_request_total Counter
apiserver_request_total{code=\"200\",group=\"apps\",resource=\"deployments\",verb=\"APPLY\"} 3
apiserver_request_total{code=\"200\",group=\"apps\",resource=\"deployments\",verb=\"GET\"} 5
apiserver_request_total{code=\"201\",group=\"\",resource=\"services\",verb=\"POST\"} 2
apiserver_request_total{code=\"201\",group=\"\",resource=\"leases\",verb=\"PUT\"} 9
";
        assert_eq!(super::writes(metrics, &["deployments", "services"]), 5);
    }
}
