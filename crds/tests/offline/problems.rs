use sluice_crds::{ProblemCode, Source, load};

use super::{CLUSTER, cluster, cluster_and_room, problems, read};

#[test]
fn a_problem_is_one_line_with_file_document_and_field() {
    assert_eq!(
        problems(&cluster_and_room(&[
            "match: support-*",
            "history: {maxAge: 1 day}"
        ])),
        [
            "chat.yaml, document 2 (Room support): spec.history.maxAge: \"1 day\" is not a duration; write it as Go does, for example 24h"
        ]
    );
}

#[test]
fn all_problems_of_all_documents_are_found_at_once() {
    let text = cluster(&[
        "auth: {required: false}",
        "limits: {connectionsPerIp: 5, payloadBytes: 1, messagesPerSecond: -1}",
        "rooms: {default: open}",
        "drain: {settle: 5m}",
        "gateway: {replicas: three}",
    ]) + "---\n"
        + &cluster_and_room(&["history: {}", "onSlowConsumer: Wait"]).replace(CLUSTER, "");
    let found = problems(&text);
    let expected = [
        "spec.gateway.replicas: \"three\" is not a whole number",
        "spec.limits.connectionsPerIp: there is no such field; did you mean connectionsPerIP?",
        "spec.limits.messagesPerSecond: -1 is too small; write 1 or more",
        "spec.limits.payloadBytes: 1 is too small; write 128 or more",
        "spec.rooms.default: \"open\" is not allowed here; did you mean Open?",
        "spec.drain.deadline: settle and window together are longer than deadline",
        "spec.match: this field is required; add it",
        "spec.onSlowConsumer: \"Wait\" is not allowed here; choose from Close, Drop",
        "spec.history: history needs a bound",
    ];
    for expected in expected {
        assert!(
            found.iter().any(|line| line.contains(expected)),
            "{expected} in {found:#?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn text_that_is_no_yaml_is_refused_with_its_line() {
    let found = problems("kind: Room\nspec: [1, 2\nmetadata: }\n");
    assert!(found[0].starts_with("chat.yaml, line "), "{found:?}");
    assert!(found[0].contains("this is not valid YAML"), "{found:?}");
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let found = read(&cluster(&["limits: {inFlight: 1, inFlight: 2}"])).unwrap_err();
    assert_eq!(found[0].code, ProblemCode::InvalidYaml, "{found:?}");
    assert_eq!(found[0].line, Some(5), "{found:?}");
}

#[test]
fn a_document_of_another_kind_is_refused_with_what_is_read() {
    let text = CLUSTER.to_owned() + "---\napiVersion: v1\nkind: Rooms\n---\nkind: Deployment\n";
    assert_eq!(
        problems(&text),
        [
            "chat.yaml, document 2 (Rooms): kind: the gateway reads RealtimeCluster, Room, Secret, not \"Rooms\"; did you mean Room?",
            "chat.yaml, document 3 (Deployment): kind: the gateway reads RealtimeCluster, Room, Secret, not \"Deployment\"; move it to a file that the gateway does not read",
        ]
    );
}

#[test]
fn a_document_of_another_version_is_refused_with_the_right_one() {
    let text = CLUSTER.to_owned() + "---\nkind: Room\n---\napiVersion: sluice.dev/v1\nkind: Room\n";
    assert_eq!(
        problems(&text),
        [
            "chat.yaml, document 2 (Room): apiVersion: this field is required; write sluice.dev/v1alpha1",
            "chat.yaml, document 3 (Room): apiVersion: \"sluice.dev/v1\" is not the version of a Room; write sluice.dev/v1alpha1",
        ]
    );
}

#[test]
fn a_document_that_is_not_a_map_or_has_no_kind_is_refused() {
    let text = CLUSTER.to_owned() + "---\n[1, 2]\n---\nmetadata: {name: x}\n";
    assert_eq!(
        problems(&text),
        [
            "chat.yaml, document 2: this is not a map; a document starts with apiVersion, kind and metadata",
            "chat.yaml, document 3: kind: this field is required; write RealtimeCluster, Room or Secret",
        ]
    );
}

#[test]
fn metadata_is_checked_too() {
    let text = CLUSTER.replace(
        "{name: chat}",
        "{name: Chat, label: {a: b}, annotations: {on: true}}",
    );
    let found = problems(&text);
    let expected = [
        "metadata.annotations.on: true is not a text; put it in quotes",
        "metadata.label: there is no such field; did you mean labels?",
        "metadata.name: \"Chat\" is not a name; use lower-case letters",
    ];
    for expected in expected {
        assert!(
            found.iter().any(|line| line.contains(expected)),
            "{expected} in {found:#?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    let nameless = problems(&CLUSTER.replace("{name: chat}", "{}"));
    assert!(
        nameless[0].ends_with("metadata.name: this field is required; add it"),
        "{nameless:?}"
    );
}

#[test]
fn a_field_beside_the_spec_that_does_not_exist_is_named() {
    let found = problems(&(CLUSTER.to_owned() + "specs: {}\n"));
    assert!(
        found[0].ends_with("specs: there is no such field; did you mean spec?"),
        "{found:?}"
    );
}

#[test]
fn a_status_is_ignored() {
    read(&(CLUSTER.to_owned() + "status: {whatever: 1}\n")).unwrap();
}

#[test]
fn empty_documents_do_not_count() {
    let text = format!("# who is who\n---\n{CLUSTER}\n---\n# nothing\n---\n---\nkind: Cluster\n");
    assert!(
        problems(&text)[0].starts_with("chat.yaml, document 2 (Cluster): "),
        "{text}"
    );
}

#[test]
fn every_problem_has_a_code_in_snake_case() {
    let problem = &load(&[Source {
        name: "a",
        text: "kind: X",
    }])
    .unwrap_err()[0];
    assert_eq!(problem.code.to_string(), "unknown_kind");
}

#[test]
fn an_alias_bomb_is_refused() {
    let start = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    let text = (1..12).fold(start, |text, n| {
        let before = format!("*a{}, ", n - 1).repeat(10);
        format!("{text}a{n}: &a{n} [{before}]\n")
    });
    assert_eq!(read(&text).unwrap_err()[0].code, ProblemCode::InvalidYaml);
}

mod any_text {
    use proptest::prelude::*;

    use super::super::{CLUSTER, read};

    proptest! {
        #[test]
        fn is_read_or_refused_without_a_panic(text in ".{0,200}") {
            let _ = read(&text);
        }

        #[test]
        fn in_the_place_of_a_value_is_read_or_refused_without_a_panic(
            field in "gateway|limits|auth|drain|rollout|origins|backbone|namespaces|spec",
            value in r#"[\[\]{}a-z0-9:, "*&!|~-]{0,40}"#,
        ) {
            let _ = read(&format!("{CLUSTER}  {field}: {value}\n"));
            let _ = read(&format!("{}\n{field}: {value}\n", CLUSTER.replace("spec:", "spex:")));
        }
    }
}
