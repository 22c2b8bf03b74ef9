use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::Handshake;

/// A program of the user with Socket.IO server code. It gets the events of its namespaces' clients
/// over NATS; connections, rooms and data stay at the gateways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// The application's name, which its instances say when they connect, and which is part of
    /// its NATS subjects.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')")
        .message("an application's name is a DNS label: use lower-case letters, digits and '-', and neither start nor end with '-'"))]
    pub name: String,
    /// The Socket.IO namespaces that belong to it: exact (`/chat`), or all that begin alike
    /// (`/admin-*`; `/*` is every namespace). They need not be listed in the cluster's
    /// `namespaces`.
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 128)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(n, n.matches('^/[^*]*[*]?$'))")
            .message("an application's namespace starts with / and may end in one *, for example /chat or /admin-*"),
    )]
    pub namespaces: Vec<String>,
    /// What of the request that opened a connection the application is told. Without it, it is
    /// told no header, cookie or parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Handshake>,
}

impl Application {
    /// Whether a namespace belongs to it.
    pub fn has_namespace(&self, namespace: &str) -> bool {
        self.namespaces
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => namespace.starts_with(prefix),
                None => namespace == pattern,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_belongs_to_an_application_by_its_name_or_by_how_it_begins() {
        let application = Application {
            name: "chat".to_owned(),
            namespaces: vec!["/".to_owned(), "/admin-*".to_owned()],
            handshake: None,
        };
        for (namespace, has) in [
            ("/", true),
            ("/admin-", true),
            ("/admin-7", true),
            ("/admin", false),
            ("/chat", false),
        ] {
            assert_eq!(application.has_namespace(namespace), has, "{namespace}");
        }
    }
}
