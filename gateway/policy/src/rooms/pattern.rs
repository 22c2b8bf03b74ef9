//! What rooms a Room document is for.

#[cfg(test)]
mod tests;

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
