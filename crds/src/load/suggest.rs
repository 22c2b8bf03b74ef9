/// How alike two names must be, from 0 to 1, for one to be suggested for the other.
const ALIKE: f64 = 0.6;

/// The candidate that was most likely meant, if one is near enough. Case does not count.
pub(super) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::normalized_damerau_levenshtein(&written, &candidate.to_ascii_lowercase()),
                candidate,
            )
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// What to add to a message about a name that does not exist: the one that was likely meant, or
/// else all there are, when they are few.
pub(super) fn hint(written: &str, candidates: &[&str]) -> String {
    match nearest(written, candidates.iter().copied()) {
        Some(candidate) => format!("did you mean {candidate}?"),
        None if candidates.is_empty() => "there is none to choose from".to_owned(),
        None => format!("choose from {}", candidates.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_whatever_its_case() {
        let names = ["connectionsPerIP", "connectionsPerUser", "payloadBytes"];
        assert_eq!(nearest("connectionsPerIp", names), Some("connectionsPerIP"));
        assert_eq!(nearest("payloadByte", names), Some("payloadBytes"));
        assert_eq!(nearest("jtw", ["hook", "jwt"]), Some("jwt"));
    }

    #[test]
    fn a_name_unlike_all_others_gets_the_list_of_them() {
        assert_eq!(nearest("xyz", ["interval", "timeout"]), None);
        assert_eq!(
            hint("xyz", &["interval", "timeout"]),
            "choose from interval, timeout"
        );
    }
}
