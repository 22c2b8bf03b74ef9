//! The permissions in NATS: those that the operator gives to the servers that it manages.

use sluice_contract::{Names, Rights, Role};

use crate::page;

#[test]
fn the_permissions_that_pages_show_are_those_that_logins_are_given() {
    let names = Names::new("default", "chat");
    for (path, role) in [
        ("docs/fleet.md", Role::Gateway),
        ("docs/fleet.md", Role::Operator),
        ("docs/backends-over-nats.md", Role::Backend),
    ] {
        let block = format!("```\npermissions: {}\n```", Rights::of(role, &names));
        let shown = page(path).text().contains(&block);
        assert!(shown, "{path} must show what {role:?} may do:\n{block}");
    }
}

#[test]
fn an_application_may_do_what_its_protocol_says() {
    let (names, own) = (Names::new("default", "chat"), "sluice.default.chat.app.a.");
    let rights = Rights::of(Role::Application("a"), &names);
    let page = page("docs/application-protocol.md");
    let said = page
        .prose()
        .find(|line| line.starts_with("An instance's login needs"));
    let (publish, subscribe) = said.unwrap().split_once("to subscribe to").unwrap();
    for (said, given) in [(publish, rights.publish), (subscribe, rights.subscribe)] {
        let mut said: Vec<_> = said
            .split('`')
            .filter_map(|word| word.strip_prefix("P."))
            .collect();
        said.sort_unstable();
        let mut given: Vec<_> = given.iter().map(|it| it.trim_start_matches(own)).collect();
        given.sort_unstable();
        assert_eq!(said, given);
    }
}

#[test]
fn pages_say_where_a_backend_is_to_have_its_answers_sent() {
    let names = Names::new("default", "chat");
    let inbox = names.inbox(Role::Backend).unwrap();
    let page = page("docs/backends-over-nats.md");
    assert!(page.text().contains(&format!("`{inbox}`")), "{inbox}");
}
