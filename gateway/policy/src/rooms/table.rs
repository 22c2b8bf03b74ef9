//! Finding the most specific entry for a name.

use rustc_hash::FxHashMap;

use super::pattern::Pattern;

/// Entries by pattern, made once and asked often.
///
/// An exact name is one look into a map. The wildcards are grouped by the text in front of
/// their first star, so that a name asks the map once for each distinct length of such texts, of
/// which there are few, however many patterns there are.
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    exact: FxHashMap<Box<str>, T>,
    by_prefix: FxHashMap<Box<str>, Vec<(Pattern, T)>>,
    /// The distinct lengths of the prefixes, longest first.
    lengths: Box<[usize]>,
}

impl<T: Clone> Table<T> {
    /// Makes a table; of entries with the same pattern the first counts.
    pub(crate) fn new(entries: impl IntoIterator<Item = (Pattern, T)>) -> Self {
        let mut exact = FxHashMap::default();
        let mut by_prefix: FxHashMap<Box<str>, Vec<(Pattern, T)>> = FxHashMap::default();
        for (pattern, entry) in entries {
            if pattern.is_exact() {
                exact.entry(pattern.as_str().into()).or_insert(entry);
            } else {
                by_prefix
                    .entry(pattern.prefix().into())
                    .or_default()
                    .push((pattern, entry));
            }
        }
        for group in by_prefix.values_mut() {
            group.sort_by(|a, b| a.0.specificity(&b.0));
        }
        let mut lengths: Vec<usize> = by_prefix.keys().map(|prefix| prefix.len()).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        lengths.dedup();
        Self {
            exact,
            by_prefix,
            lengths: lengths.into(),
        }
    }

    /// The entry of the most specific pattern that matches.
    pub(crate) fn find(&self, name: &str) -> Option<&T> {
        if let Some(entry) = self.exact.get(name) {
            return Some(entry);
        }
        self.lengths
            .iter()
            .filter_map(|&length| self.by_prefix.get(name.get(..length)?))
            .flatten()
            .find(|(pattern, _)| pattern.matches(name))
            .map(|(_, entry)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(patterns: &[String]) -> Table<String> {
        Table::new(
            patterns
                .iter()
                .map(|text| (Pattern::new(text), text.clone())),
        )
    }

    #[test]
    fn the_most_specific_pattern_wins() {
        let table = table(&["*", "support-*", "support-vip-*", "support-vip-1"].map(String::from));
        for (name, pattern) in [
            ("support-vip-1", "support-vip-1"),
            ("support-vip-2", "support-vip-*"),
            ("support-2", "support-*"),
            ("lobby", "*"),
        ] {
            assert_eq!(
                table.find(name).map(String::as_str),
                Some(pattern),
                "{name}"
            );
        }
    }

    #[test]
    fn a_name_that_nothing_matches_has_no_entry() {
        assert_eq!(table(&["support-*".to_owned()]).find("lobby"), None);
        assert_eq!(table(&[]).find(""), None);
    }

    #[test]
    fn a_prefix_that_would_end_inside_a_character_does_not_match() {
        assert_eq!(table(&["a*".to_owned(), "aa*".to_owned()]).find("ß"), None);
    }

    proptest! {
        #[test]
        fn it_finds_what_a_search_through_all_patterns_finds(
            patterns in prop::collection::vec("[ab*]{0,5}", 0..20), name in "[ab]{0,7}",
        ) {
            let searched = patterns
                .iter()
                .map(|text| Pattern::new(text))
                .filter(|pattern| pattern.matches(&name))
                .min_by(Pattern::specificity)
                .map(|pattern| pattern.as_str().to_owned());
            prop_assert_eq!(table(&patterns).find(&name).cloned(), searched);
        }
    }
}
