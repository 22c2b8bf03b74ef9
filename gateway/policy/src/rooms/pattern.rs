//! What rooms a Room document is for.

use std::cmp::Ordering;

/// A room's name, or a class of names in which each `*` stands for any characters, also none.
///
/// There is no escape: a `*` in a pattern is always a wildcard. Where several patterns match one
/// name, the most specific counts; see [`Pattern::specificity`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    /// Where the first star is; `None` for an exact name.
    star: Option<usize>,
}

impl Pattern {
    /// Reads a pattern. Every text is one.
    pub fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            star: text.find('*'),
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether only one name matches.
    pub fn is_exact(&self) -> bool {
        self.star.is_none()
    }

    /// The characters in front of the first star.
    pub fn prefix(&self) -> &str {
        self.text.split('*').next().unwrap_or_default()
    }

    /// Whether `name` is of this class.
    pub fn matches(&self, name: &str) -> bool {
        self.suffix(name).is_some()
    }

    /// What the first star stands for in `name`, empty for an exact pattern; `None` when `name`
    /// does not match. Where more than one reading is possible each star takes as little as it
    /// can, the last one the rest.
    pub fn suffix<'n>(&self, name: &'n str) -> Option<&'n str> {
        let Some(star) = self.star else {
            return (*name == *self.text).then_some("");
        };
        let (prefix, rest) = (self.text.get(..star)?, self.text.get(star + 1..)?);
        let name = name.strip_prefix(prefix)?;
        match rest.rsplit_once('*') {
            None => name.strip_suffix(rest),
            Some((middle, last)) => first_star(name.strip_suffix(last)?, middle),
        }
    }

    /// Orders patterns by how narrow they are, the narrowest first: an exact name, then the
    /// longer text in front of the first star, then more characters that are no star, then
    /// fewer stars, then the pattern's own text, so that the order never depends on that of the
    /// documents. Two equal patterns are a conflict that the documents' check reports.
    pub fn specificity(&self, other: &Self) -> Ordering {
        let rank = |pattern: &Self| {
            let stars = pattern.text.bytes().filter(|&b| b == b'*').count();
            (
                pattern.star.is_some(),
                pattern.prefix().len(),
                pattern.text.len() - stars,
                stars,
            )
        };
        let (mine, theirs) = (rank(self), rank(other));
        mine.0
            .cmp(&theirs.0)
            .then(theirs.1.cmp(&mine.1))
            .then(theirs.2.cmp(&mine.2))
            .then(mine.3.cmp(&theirs.3))
            .then_with(|| self.text.cmp(&other.text))
    }
}

/// Finds the parts of `middle` one after the other, each as early as it can be, and gives what
/// lies in front of the first.
fn first_star<'n>(name: &'n str, middle: &str) -> Option<&'n str> {
    let mut first = None;
    let mut rest = name;
    for part in middle.split('*') {
        let at = rest.find(part)?;
        first = first.or_else(|| rest.get(..at));
        rest = rest.get(at + part.len()..)?;
    }
    first
}

#[cfg(test)]
mod tests {
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
}
