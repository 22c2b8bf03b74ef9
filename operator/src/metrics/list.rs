//! What the operator shows.

sluice_contract::metrics! {
    Histogram RECONCILE_SECONDS = "sluice_operator_reconcile_seconds" ["kind"],
        "How long a reconciliation took.";
    Counter RECONCILIATIONS = "sluice_operator_reconciliations_total" ["kind", "outcome"],
        "Reconciliations by kind and outcome: ok, or the reason of what was in the way.";
    Counter WRITES = "sluice_operator_writes_total" ["kind", "verb"],
        "Writes to the API server, refused ones too.";
    Gauge STALLED = "sluice_operator_stalled" ["kind"],
        "Resources that wait for a person.";
    Counter POLICY_PUSHES = "sluice_operator_policy_pushes_total" ["outcome"],
        "Documents given to gateways over NATS, by outcome.";
    Gauge OBJECTS = "sluice_operator_objects" ["kind"],
        "Objects that are watched.";
    Gauge LEADER = "sluice_operator_leader",
        "1 while this process leads.";
}
