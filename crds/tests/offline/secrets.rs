use sluice_crds::{ProblemCode, SecretKeyRef};

use super::{CLUSTER, cluster, problems, read};

fn with_secret(fields: &str) -> String {
    format!("{CLUSTER}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: keys}}\n{fields}\n")
}

fn reference(key: &str) -> SecretKeyRef {
    SecretKeyRef {
        name: "keys".to_owned(),
        key: key.to_owned(),
    }
}

#[test]
fn a_value_is_found_by_its_reference() {
    let text = with_secret("type: Opaque\ndata: {jwt: aHVzaA==}\nstringData: {hook: plain}");
    let documents = read(&text).unwrap();
    assert_eq!(
        documents.secret_value(&reference("jwt")),
        Some(b"hush".as_slice())
    );
    assert_eq!(
        documents.secret_value(&reference("hook")),
        Some(b"plain".as_slice())
    );
    assert_eq!(documents.secret_value(&reference("other")), None);
    assert!(documents.secret("others").is_none());
}

#[test]
fn string_data_overrides_data() {
    let documents = read(&with_secret(
        "data: {jwt: aHVzaA==}\nstringData: {jwt: new}",
    ))
    .unwrap();
    assert_eq!(
        documents.secret_value(&reference("jwt")),
        Some(b"new".as_slice())
    );
}

#[test]
fn values_are_not_shown_for_debugging() {
    let documents = read(&with_secret("stringData: {jwt: hush-hush}")).unwrap();
    let shown = format!("{documents:?}");
    assert!(
        shown.contains("keys: [\"jwt\"]") && !shown.contains("hush"),
        "{shown}"
    );
    assert!(
        !shown.contains(&format!("{:?}", b"hush-hush".as_slice())),
        "{shown}"
    );
}

#[test]
fn a_secret_that_is_wrong_is_refused_without_showing_it() {
    let text = with_secret("data: {jwt: hush-hush}\nstringData: {pin: 123456}\ndatas: {a: hush}");
    let found = problems(&text);
    let expected = [
        "chat.yaml, document 2 (Secret keys): datas: there is no such field; did you mean data?",
        "chat.yaml, document 2 (Secret keys): data.jwt: this is not base64; encode the value, or move it to stringData as it is",
        "chat.yaml, document 2 (Secret keys): stringData.pin: this is not a text; put it in quotes",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_secret_with_broken_yaml_is_refused_without_showing_it() {
    let found = problems(&with_secret(
        "stringData:\n  jwt: 'hush-hush\n  hook: [hush",
    ));
    assert!(
        !found.is_empty() && found.iter().all(|line| !line.contains("hush")),
        "{found:?}"
    );
}

#[test]
fn a_reference_to_a_key_that_the_secret_lacks_is_refused() {
    let auth = "auth: {jwt: {keySecretRef: {name: keys, key: jtw}}}";
    let text = cluster(&[auth]) + &with_secret("stringData: {jwt: x}").replace(CLUSTER, "");
    assert_eq!(
        problems(&text),
        [
            "chat.yaml, document 1 (RealtimeCluster chat): spec.auth.jwt.keySecretRef.key: the Secret keys has no key jtw; did you mean jwt?"
        ]
    );
}

#[test]
fn a_reference_to_a_secret_that_is_not_here_is_left_to_the_gateway() {
    read(&cluster(&[
        "auth: {jwt: {keySecretRef: {name: mounted, key: jwt}}}",
    ]))
    .unwrap();
}

#[test]
fn two_secrets_of_one_name_are_refused() {
    let text = with_secret("data: {}") + &with_secret("data: {}").replace(CLUSTER, "");
    let found = read(&text).unwrap_err();
    assert_eq!(
        (found.len(), found[0].code),
        (1, ProblemCode::Duplicate),
        "{found:?}"
    );
}
