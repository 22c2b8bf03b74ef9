//! Where NATS is by the documents, and what lets this gateway in.

use std::{io, path::Path};

use sluice_bucket::Login;
use sluice_contract::Names;
use sluice_crds::{Documents, cluster::NatsBackbone};
use sluice_nats::link::{Auth, Credentials, Options, ServerUrl};

use crate::documents::Secrets;

/// Where the server of a managed NATS listens.
const PORT: u16 = 4222;

/// How the cluster's subjects and streams are called.
pub(crate) fn names(documents: &Documents) -> Names {
    let meta = &documents.cluster.metadata;
    Names::new(
        meta.namespace.as_deref().unwrap_or("default"),
        meta.name.as_deref().unwrap_or_default(),
    )
}

/// Where NATS is by the documents, or as `given`, and what lets us in: `credentials`, or those
/// that the documents name. The login has no name yet.
///
/// # Errors
/// Where the documents do not name NATS, or name credentials that are not there.
pub(crate) fn nats_login(
    documents: &Documents,
    given: Option<&str>,
    mounted: Option<&Path>,
    credentials: Option<String>,
) -> io::Result<Login> {
    let backbone = documents.cluster.spec.backbone.as_ref();
    let spec = backbone.and_then(|backbone| backbone.nats.as_ref());
    let spec = spec.ok_or_else(|| io::Error::other("spec.backbone is not nats"))?;
    let credentials = match credentials {
        Some(text) => Some(text),
        None => named_credentials(documents, spec, mounted)?,
    };
    Ok(Login {
        urls: urls(documents, given, spec),
        credentials,
        name: String::new(),
    })
}

/// The same for the backbone's own connection.
///
/// # Errors
/// Where the URLs or the credentials cannot be read.
pub(super) fn options(login: &Login) -> io::Result<Options> {
    let urls = login
        .urls
        .split(',')
        .map(|url| url.trim().parse::<ServerUrl>());
    let urls = urls.collect::<Result<_, _>>().map_err(io::Error::other)?;
    let mut options = Options::new(urls, &login.name);
    if let Some(text) = &login.credentials {
        let credentials = Credentials::parse(text).map_err(io::Error::other)?;
        options.auth = Auth::Credentials(credentials);
    }
    Ok(options)
}

fn urls(documents: &Documents, given: Option<&str>, spec: &NatsBackbone) -> String {
    match (given, &spec.external, &spec.managed) {
        (Some(given), ..) => given.to_owned(),
        (None, Some(external), _) => external.url.clone(),
        (None, None, managed) => {
            managed_urls(documents, managed.as_ref().map_or(1, |m| m.replicas))
        }
    }
}

/// Where the servers are that the operator runs.
fn managed_urls(documents: &Documents, replicas: u32) -> String {
    let meta = &documents.cluster.metadata;
    let name = meta.name.as_deref().unwrap_or_default();
    let namespace = meta.namespace.as_deref().unwrap_or("default");
    let url = |n| format!("nats://{name}-nats-{n}.{name}-nats.{namespace}.svc:{PORT}");
    (0..replicas).map(url).collect::<Vec<_>>().join(",")
}

/// The credentials that the documents name, if they name any.
fn named_credentials(
    documents: &Documents,
    spec: &NatsBackbone,
    mounted: Option<&Path>,
) -> io::Result<Option<String>> {
    let external = spec.external.as_ref();
    let reference = external.and_then(|external| external.credentials_secret_ref.as_ref());
    let secrets = Secrets { documents, mounted };
    let read = reference.map(|reference| {
        let bytes = secrets.read(&reference.name, &reference.key);
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.ok_or_else(|| {
            io::Error::other(format!(
                "spec.backbone.nats.external.credentialsSecretRef: the Secret {} has no text under {}; add it, or mount the Secret",
                reference.name, reference.key
            ))
        })
    });
    read.transpose()
}
