//! Documents out of the bucket, as this gateway can use them.

use sluice_bucket::Pushed;
use sluice_contract::documents_digest;
use sluice_crds::{Documents, Problem, ProblemCode, RealtimeCluster};

use super::nats_login::names;
use crate::{documents::Texts, in_force::Origin};

/// What problems call the documents.
const SOURCE: &str = "the bucket";

/// The origin of documents out of the bucket.
pub(super) fn origin(pushed: &Pushed) -> Origin {
    Origin {
        revision: pushed.revision,
        digest: documents_digest(&pushed.text),
    }
}

/// Checks the documents as a changed file's, with the Secrets of this gateway's `own`.
pub(super) fn load(pushed: &Pushed, own: &Documents) -> Result<Documents, Vec<Problem>> {
    let mut documents = Texts::one(SOURCE, &pushed.text).load()?;
    let mut problems: Vec<_> = documents.secrets.iter().map(|secret| {
        let what = format!("the Secret {} is among the documents, where all who read the bucket see it; take it out, and mount it at the gateways", secret.name);
        problem(None, "", what)
    }).collect();
    if names(&documents).prefix() != names(own).prefix() {
        let what = format!(
            "these are the documents of another cluster; this one is {}",
            called(&own.cluster)
        );
        let subject = format!("RealtimeCluster {}", called(&documents.cluster));
        problems.push(problem(Some(subject), "metadata.name", what));
    }
    if problems.is_empty() {
        documents.secrets.clone_from(&own.secrets);
        Ok(documents)
    } else {
        Err(problems)
    }
}

fn called(cluster: &RealtimeCluster) -> &str {
    cluster.metadata.name.as_deref().unwrap_or_default()
}

fn problem(subject: Option<String>, path: &str, message: String) -> Problem {
    Problem {
        file: SOURCE.to_owned(),
        document: None,
        line: None,
        subject,
        path: path.to_owned(),
        message,
        code: ProblemCode::CannotWork,
    }
}
