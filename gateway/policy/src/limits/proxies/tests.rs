//! Headers, true and false.

use super::*;
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn behind(proxies: &[&str], peer: &str, xff: &[&str]) -> IpAddr {
    let proxies = TrustedProxies::parse(proxies).unwrap();
    proxies.client_ip(ip(peer), xff.iter().copied(), std::iter::empty())
}

#[test]
fn a_header_from_someone_who_is_no_proxy_is_not_believed() {
    assert_eq!(
        behind(&["10.0.0.0/8"], "203.0.113.9", &["198.51.100.1"]),
        ip("203.0.113.9")
    );
    assert_eq!(behind(&[], "10.0.0.1", &["198.51.100.1"]), ip("10.0.0.1"));
}

#[test]
fn the_rightmost_address_that_is_no_proxy_is_the_client() {
    let xff = ["6.6.6.6, 198.51.100.1, 10.0.0.7"];
    assert_eq!(
        behind(&["10.0.0.0/8"], "10.0.0.1", &xff),
        ip("198.51.100.1")
    );
}

#[test]
fn several_header_lines_are_one_list() {
    let xff = ["6.6.6.6", "198.51.100.1", "10.0.0.7 , 10.0.0.8"];
    assert_eq!(
        behind(&["10.0.0.0/8"], "10.0.0.1", &xff),
        ip("198.51.100.1")
    );
}

#[test]
fn nonsense_ends_the_walk_at_the_proxy_that_passed_it_on() {
    for nonsense in [
        "unknown",
        "",
        "1.2.3",
        "1.2.3.4:99999",
        "[::1",
        "[::1]x",
        "<script>",
    ] {
        let line = format!("6.6.6.6, {nonsense}, 10.0.0.7");
        assert_eq!(
            behind(&["10.0.0.0/8"], "10.0.0.1", &[&line]),
            ip("10.0.0.7"),
            "{nonsense}"
        );
    }
}

#[test]
fn ports_and_brackets_are_understood() {
    for (text, address) in [
        ("198.51.100.1:4711", "198.51.100.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("\"198.51.100.1\"", "198.51.100.1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
    ] {
        assert_eq!(
            behind(&["10.0.0.0/8"], "10.0.0.1", &[text]),
            ip(address),
            "{text}"
        );
    }
}

#[test]
fn a_chain_of_nothing_but_proxies_ends_at_the_farthest() {
    assert_eq!(
        behind(&["10.0.0.0/8"], "10.0.0.1", &["10.9.9.9, 10.0.0.7"]),
        ip("10.9.9.9")
    );
}

#[test]
fn a_chain_longer_than_the_bound_is_not_walked_to_its_end() {
    let line = format!("6.6.6.6{}", ", 10.0.0.7".repeat(40));
    assert_eq!(
        behind(&["10.0.0.0/8"], "10.0.0.1", &[&line]),
        ip("10.0.0.7")
    );
}

#[test]
fn forwarded_counts_only_without_x_forwarded_for() {
    let proxies = TrustedProxies::parse(&["10.0.0.0/8"]).unwrap();
    let forwarded = ["for=6.6.6.6;proto=https, For=\"[2001:db8::1]:4711\";by=10.0.0.2"];
    let alone = proxies.client_ip(ip("10.0.0.1"), std::iter::empty(), forwarded.into_iter());
    assert_eq!(alone, ip("2001:db8::1"));
    let both = proxies.client_ip(
        ip("10.0.0.1"),
        ["198.51.100.1"].into_iter(),
        forwarded.into_iter(),
    );
    assert_eq!(both, ip("198.51.100.1"));
}

#[test]
fn an_obfuscated_forwarded_element_ends_the_walk() {
    let proxies = TrustedProxies::parse(&["10.0.0.0/8"]).unwrap();
    let forwarded = ["for=6.6.6.6, for=_hidden"];
    let client = proxies.client_ip(ip("10.0.0.1"), std::iter::empty(), forwarded.into_iter());
    assert_eq!(client, ip("10.0.0.1"));
}

#[test]
fn a_mapped_peer_is_its_ipv4_address() {
    assert_eq!(
        behind(&["10.0.0.0/8"], "::ffff:10.0.0.1", &["198.51.100.1"]),
        ip("198.51.100.1")
    );
    assert_eq!(behind(&[], "::ffff:198.51.100.1", &[]), ip("198.51.100.1"));
}

#[test]
fn what_is_no_network_is_named() {
    let errors = TrustedProxies::parse(&["10.0.0.0/8", "10.0.0.0/33", "proxy"]).unwrap_err();
    assert_eq!(
        errors.iter().map(|(index, _)| *index).collect::<Vec<_>>(),
        [1, 2]
    );
    assert!(errors[1].1.to_string().contains("`proxy`"));
}

#[test]
fn what_is_no_text_ends_the_walk_wherever_it_stands() {
    let proxies = TrustedProxies::parse(&["10.0.0.0/8"]).unwrap();
    let read = |lines: &[&[u8]]| {
        let none = std::iter::empty();
        proxies.client_ip(ip("10.0.0.1"), lines.iter().copied(), none)
    };
    let spoofed: &[u8] = b"203.0.113.6";
    assert_eq!(read(&[spoofed, b"\xe9, 198.51.100.7"]), ip("198.51.100.7"));
    assert_eq!(read(&[spoofed, b"\xe9, 10.0.0.2"]), ip("10.0.0.2"));
    assert_eq!(read(&[spoofed, b"\xe9"]), ip("10.0.0.1"));
}

proptest! {
    #[test]
    fn no_header_makes_the_walk_panic_or_move_an_untrusted_peer(
        lines in prop::collection::vec(".{0,60}", 0..4),
        forwarded in prop::collection::vec(".{0,60}", 0..4),
    ) {
        let proxies = TrustedProxies::parse(&["10.0.0.0/8", "fd00::/8"]).unwrap();
        let read = |peer| proxies.client_ip(
            peer, lines.iter().map(String::as_str), forwarded.iter().map(String::as_str));
        let _ = read(ip("10.0.0.1"));
        prop_assert_eq!(read(ip("203.0.113.9")), ip("203.0.113.9"));
    }
}
