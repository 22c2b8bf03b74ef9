//! Patterns and names.

use super::*;
use proptest::prelude::*;

fn naive(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|at| naive(rest, &name[at..])),
        Some((c, rest)) => name.first() == Some(c) && naive(rest, &name[1..]),
    }
}

#[test]
fn the_suffix_is_what_the_star_stands_for() {
    for (pattern, name, suffix) in [
        ("support-*", "support-42", Some("42")),
        ("support-*", "support-", Some("")),
        ("support-*", "support", None),
        ("*", "anything", Some("anything")),
        ("*", "", Some("")),
        ("lobby", "lobby", Some("")),
        ("lobby", "lobby2", None),
        ("*-vip", "anna-vip", Some("anna")),
        ("org-*-team-*", "org-1-team-2", Some("1")),
        ("org-*-team-*", "org-1-team-2-team-3", Some("1")),
        ("a*a", "a", None),
        ("a*a", "aa", Some("")),
        ("a**b", "axb", Some("")),
        ("räume-*", "räume-ß", Some("ß")),
    ] {
        assert_eq!(
            Pattern::new(pattern).suffix(name),
            suffix,
            "{pattern} on {name}"
        );
    }
}

#[test]
fn the_narrower_pattern_comes_first() {
    let narrow_to_wide = [
        "support-42",
        "support-vip-*",
        "support-*-x",
        "support-*",
        "s*pp*t",
        "s*p*",
        "*-support",
        "*",
    ];
    for (index, narrow) in narrow_to_wide.iter().enumerate() {
        for wide in &narrow_to_wide[index + 1..] {
            let order = Pattern::new(narrow).specificity(&Pattern::new(wide));
            assert_eq!(order, Ordering::Less, "{narrow} and {wide}");
        }
    }
}

proptest! {
    #[test]
    fn it_matches_exactly_what_a_naive_matcher_matches(
        pattern in "[ab*ß]{0,8}", name in "[abß]{0,12}",
    ) {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(
            Pattern::new(&pattern).matches(&name),
            naive(&chars(&pattern), &chars(&name)),
            "{} on {}", pattern, name
        );
    }

    #[test]
    fn the_order_of_patterns_is_total(a in "[ab*]{0,6}", b in "[ab*]{0,6}", c in "[ab*]{0,6}") {
        let (a, b, c) = (Pattern::new(&a), Pattern::new(&b), Pattern::new(&c));
        prop_assert_eq!(a.specificity(&b), b.specificity(&a).reverse());
        if a.specificity(&b).is_le() && b.specificity(&c).is_le() {
            prop_assert!(a.specificity(&c).is_le());
        }
        prop_assert_eq!(a.specificity(&b).is_eq(), a == b);
    }
}
