//! Where a document is, so that its problems can be found.

/// Where a document is and what it calls itself.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) document: usize,
    pub(super) kind: Option<String>,
    pub(super) name: Option<String>,
}

impl Place {
    /// The document's kind and name, as far as they are known.
    pub(super) fn subject(&self) -> Option<String> {
        let kind = self.kind.as_deref()?;
        Some(match &self.name {
            Some(name) => format!("{kind} {name}"),
            None => kind.to_owned(),
        })
    }
}
