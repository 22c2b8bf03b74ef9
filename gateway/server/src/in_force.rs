//! Which documents this gateway works by, as others are told.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwap;
use sluice_contract::{PolicyStatus, documents_digest};
use sluice_crds::{Documents, Problem};

/// Which documents a gateway works by, and where they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Their revision in the bucket; 0 for the gateway's own files.
    pub(crate) revision: u64,
    /// The digest of the documents: where it is the same, so are they.
    pub(crate) digest: Box<str>,
}

/// Says what of documents that hold will not work, though an earlier version has taken it.
pub(crate) fn warn_of(documents: &Documents) {
    if let Some(what) = documents.cluster.spec.limits.undeliverable() {
        tracing::warn!(field = "spec.limits.payloadBytes", "{what}");
    }
}

impl Origin {
    /// Documents out of the gateway's own files. Their Secrets are not part of the digest.
    pub(crate) fn files(documents: &Documents) -> Self {
        let resources = serde_json::to_string(&(&documents.cluster, &documents.rooms));
        Self {
            revision: 0,
            digest: documents_digest(&resources.unwrap_or_default()),
        }
    }
}

/// The status of this gateway's policy.
#[derive(Debug, Default)]
pub(crate) struct InForce {
    status: ArcSwap<PolicyStatus>,
    refusals: AtomicU64,
    /// The revision that was refused last.
    refused: AtomicU64,
}

impl InForce {
    /// The status now.
    pub(crate) fn get(&self) -> Arc<PolicyStatus> {
        self.status.load_full()
    }

    /// How many times documents were refused.
    pub(crate) fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }

    /// Documents hold from now on.
    pub(crate) fn took(&self, origin: &Origin) {
        let now = self.get();
        let same = (now.revision, &now.digest) == (origin.revision, &origin.digest);
        // The same ones again, with other Secrets: newer ones are refused all the same.
        let still = same && self.refused.load(Ordering::Relaxed) != origin.revision;
        self.status.store(Arc::new(PolicyStatus {
            revision: origin.revision,
            digest: origin.digest.clone(),
            refused: now.refused.clone().filter(|_| still),
        }));
    }

    /// Newer documents are refused, and the log says why; those that hold go on.
    pub(crate) fn refuse(&self, revision: u64, problems: &[Problem]) {
        self.refused(revision, problems);
        for problem in problems {
            tracing::error!(code = problem.code.as_str(), "{problem}");
        }
        tracing::error!(
            problems = problems.len(),
            "the changed documents are refused and the last good ones stay in force; mend what is named above"
        );
    }

    fn refused(&self, revision: u64, problems: &[Problem]) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
        self.refused.store(revision, Ordering::Relaxed);
        let what = problems
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        let more = problems.len().saturating_sub(1);
        let mut refused = match revision {
            0 => what,
            revision => format!("revision {revision}: {what}"),
        };
        if more > 0 {
            refused = format!("{refused} (and {more} more)");
        }
        self.status.store(Arc::new(PolicyStatus {
            refused: Some(shortened(refused).into()),
            ..PolicyStatus::clone(&self.get())
        }));
    }
}

/// What all gateways are told each second is not to be long.
fn shortened(mut text: String) -> String {
    const MOST: usize = 500;
    if text.len() > MOST {
        text.truncate(text.floor_char_boundary(MOST));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_crds::ProblemCode;

    fn problem(message: &str) -> Problem {
        Problem {
            file: "policy".to_owned(),
            document: None,
            line: None,
            subject: None,
            path: String::new(),
            message: message.to_owned(),
            code: ProblemCode::InvalidValue,
        }
    }

    #[test]
    fn what_is_refused_leaves_what_is_in_force() {
        let status = InForce::default();
        let origin = Origin {
            revision: 3,
            digest: "ab".into(),
        };
        status.took(&origin);
        status.refused(4, &[problem("no"), problem("never")]);
        let now = status.get();
        assert_eq!((now.revision, &*now.digest), (3, "ab"));
        assert_eq!(
            now.refused.as_deref(),
            Some("revision 4: policy: no (and 1 more)")
        );
        assert_eq!(status.refusals(), 1);
        status.took(&origin);
        assert!(status.get().refused.is_some());
        status.refused(3, &[problem("a Secret is gone")]);
        status.took(&origin);
        assert_eq!(status.get().refused, None);
    }

    #[test]
    fn a_long_reason_is_shortened_between_characters() {
        let text = shortened("ü".repeat(400));
        assert!(text.len() <= 503 && text.ends_with('…'));
    }
}
