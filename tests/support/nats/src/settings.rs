//! How a server is to be.

use std::{fmt::Write as _, path::Path};

/// How a server is to be. The default has neither JetStream nor users.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    name: Option<String>,
    jetstream: bool,
    config: String,
    cluster: Option<Member>,
}

/// A server's place in a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) cluster: String,
    pub(crate) port: u16,
    pub(crate) routes: Vec<u16>,
}

impl Settings {
    /// With JetStream, stored on disk until the server is dropped.
    #[must_use]
    pub fn jetstream(mut self) -> Self {
        self.jetstream = true;
        self
    }

    /// With a name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// With more lines of configuration.
    #[must_use]
    pub fn config(mut self, text: &str) -> Self {
        self.config.push_str(text);
        self.config.push('\n');
        self
    }

    /// With TLS for clients, from a certificate chain and a key in files.
    #[must_use]
    pub fn tls(self, chain: &Path, key: &Path) -> Self {
        let (chain, key) = (chain.display(), key.display());
        let config = format!("tls {{ cert_file: \"{chain}\", key_file: \"{key}\" }}");
        self.config(&config)
    }

    pub(crate) fn has_jetstream(&self) -> bool {
        self.jetstream
    }

    pub(crate) fn member(mut self, member: Member) -> Self {
        self.cluster = Some(member);
        self
    }

    /// The text of the configuration file.
    pub(crate) fn text(&self, port: u16, monitor: u16, folder: &Path) -> String {
        let folder = folder.display();
        let name = self.name.clone().unwrap_or_else(|| format!("n{port}"));
        let mut text = format!(
            "server_name: {name}\nlisten: 127.0.0.1:{port}\nhttp: 127.0.0.1:{monitor}\n\
             log_file: \"{folder}/log\"\n"
        );
        if self.jetstream {
            let _ = writeln!(
                text,
                "jetstream {{ store_dir: \"{folder}/store\", max_mem: 256M, max_file: 1G }}"
            );
        }
        if let Some(member) = &self.cluster {
            let routes = member.routes.iter();
            let routes: Vec<_> = routes
                .map(|port| format!("nats://127.0.0.1:{port}"))
                .collect();
            let (cluster, port, routes) = (&member.cluster, member.port, routes.join(", "));
            let _ = writeln!(
                text,
                "cluster {{ name: {cluster}, listen: 127.0.0.1:{port}, routes: [{routes}] }}"
            );
        }
        text + &self.config
    }
}
