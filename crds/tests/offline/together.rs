use sluice_crds::{Source, load};

use super::{CLUSTER, cluster_and_room, document, problems, read};

fn room(name: &str, fields: &[&str]) -> String {
    format!("---\n{}", document("Room", name, fields))
}

#[test]
fn documents_are_read_from_several_files() {
    let rooms = room("a", &["clusterRef: {name: chat}", "match: a"])
        + &room("b", &["clusterRef: {name: chat}", "match: b-*"]);
    let sources = [
        Source {
            name: "rooms.yaml",
            text: &rooms,
        },
        Source {
            name: "chat.yaml",
            text: CLUSTER,
        },
    ];
    let documents = load(&sources).unwrap();
    let names: Vec<_> = documents
        .rooms
        .iter()
        .filter_map(|it| it.metadata.name.as_deref())
        .collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn without_a_cluster_there_is_nothing_to_run() {
    let message = "there is no RealtimeCluster; add one, it says what the gateway does";
    assert_eq!(problems("# nothing"), [format!("chat.yaml: {message}")]);
    assert_eq!(
        load(&[]).unwrap_err()[0].to_string(),
        format!("no file: {message}")
    );
}

#[test]
fn a_second_cluster_is_refused() {
    let text = CLUSTER.to_owned() + "---\n" + &CLUSTER.replace("chat", "talk");
    assert_eq!(
        problems(&text),
        [
            "chat.yaml, document 2 (RealtimeCluster talk): there is another RealtimeCluster in chat.yaml, document 1 (RealtimeCluster chat); a gateway belongs to one, so keep one"
        ]
    );
}

#[test]
fn a_cluster_that_is_refused_is_not_reported_as_missing() {
    let text = cluster_and_room(&["match: a"]).replace("required: false", "required: 1");
    assert_eq!(problems(&text).len(), 1, "{:?}", problems(&text));
}

#[test]
fn a_room_of_another_cluster_is_refused() {
    assert_eq!(
        problems(&(CLUSTER.to_owned() + &room("a", &["clusterRef: {name: chats}", "match: a"]))),
        [
            "chat.yaml, document 2 (Room a): spec.clusterRef.name: there is no RealtimeCluster chats; the one here is chat"
        ]
    );
}

#[test]
fn a_room_in_another_kubernetes_namespace_is_refused() {
    let text = CLUSTER.replace("name: chat}", "name: chat, namespace: prod}")
        + &room(
            "a, namespace: test",
            &["clusterRef: {name: chat}", "match: a"],
        );
    assert_eq!(
        problems(&text),
        [
            "chat.yaml, document 2 (Room a): metadata.namespace: this Room is in the Kubernetes namespace test and its RealtimeCluster in prod; put both in one"
        ]
    );
}

#[test]
fn a_room_in_a_namespace_that_is_not_listed_is_refused() {
    assert_eq!(
        problems(&cluster_and_room(&["match: a", "namespace: /chat"])),
        [
            "chat.yaml, document 2 (Room support): spec.namespace: the RealtimeCluster has no namespace /chat, so no client can get there; add it to its spec.namespaces"
        ]
    );
}

#[test]
fn a_room_may_be_in_a_namespace_of_an_application() {
    let text = cluster_and_room(&["match: a", "namespace: /admin-7"]).replace(
        "required: false}",
        "required: false}, backbone: {nats: {managed: {}}}, applications: [{name: a, namespaces: ['/admin-*']}]",
    );
    read(&text).unwrap();
}

#[test]
fn the_main_namespace_is_there_even_when_it_is_not_listed() {
    let text = cluster_and_room(&["match: a"])
        .replace("required: false}", "required: false}, namespaces: [/chat]");
    read(&text).unwrap();
}

#[test]
fn two_rooms_of_one_name_are_refused() {
    let text = cluster_and_room(&["match: a"])
        + &room("support", &["clusterRef: {name: chat}", "match: b"]);
    assert_eq!(
        problems(&text),
        [
            "chat.yaml, document 3 (Room support): metadata.name: chat.yaml, document 2 (Room support) has the same name; rename one"
        ]
    );
}

#[test]
fn two_rooms_that_match_the_same_are_refused() {
    let text = cluster_and_room(&["match: a-*"])
        + &room("other", &["clusterRef: {name: chat}", "match: a-*"]);
    assert_eq!(
        problems(&text),
        [
            "chat.yaml, document 3 (Room other): spec.match: chat.yaml, document 2 (Room support) matches the same rooms in the same namespace; merge the two, or change one"
        ]
    );
}

#[test]
fn the_same_match_in_another_namespace_is_another_room() {
    let text = cluster_and_room(&["match: a"])
        .replace("required: false}", "required: false}, namespaces: [/x]")
        + &room(
            "other",
            &["clusterRef: {name: chat}", "match: a", "namespace: /x"],
        );
    assert_eq!(read(&text).unwrap().rooms.len(), 2);
}
