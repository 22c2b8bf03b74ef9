//! How many gateways each revision has.

use std::collections::BTreeMap;

/// A revision as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revision {
    /// Its name.
    pub(crate) name: String,
    /// How many gateways it is to have.
    pub(crate) replicas: u32,
    /// How many of them are ready.
    pub(crate) ready: u32,
}

/// How many gateways each revision is to have; one that is not in it is to go. The earlier ones
/// stay until the wanted one can take over.
pub(crate) fn sizes(wanted: &str, replicas: u32, revisions: &[Revision]) -> BTreeMap<String, u32> {
    let now = revisions.iter().find(|it| it.name == wanted);
    let ready = now.is_some_and(|it| it.ready >= replicas);
    let mut sizes = BTreeMap::from([(wanted.to_owned(), replicas)]);
    if !ready {
        for earlier in revisions {
            sizes.entry(earlier.name.clone()).or_insert(earlier.replicas);
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_revisions_stay_until_the_wanted_one_is_ready() {
        let old = Revision { name: "a".to_owned(), replicas: 3, ready: 3 };
        let new = |ready| Revision { name: "b".to_owned(), replicas: 2, ready };
        let sizes = |ready| sizes("b", 2, &[old.clone(), new(ready)]);
        assert_eq!(sizes(1), BTreeMap::from([("a".to_owned(), 3), ("b".to_owned(), 2)]));
        assert_eq!(sizes(2), BTreeMap::from([("b".to_owned(), 2)]));
    }
}
