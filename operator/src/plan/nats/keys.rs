/// The passwords of those who connect to a cluster's NATS servers.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// The gateways'.
    pub gateway: String,
    /// The operator's.
    pub operator: String,
    /// The application's backends'.
    pub backend: String,
    /// The servers' own, for each other.
    pub routes: String,
}

impl Keys {
    /// Each password with the name of its user.
    pub(crate) fn named(&self) -> [(&'static str, &str); 4] {
        [
            ("gateway", &self.gateway),
            ("operator", &self.operator),
            ("backend", &self.backend),
            ("routes", &self.routes),
        ]
    }

    /// The passwords by the names of their users; `None` unless all are there.
    pub(crate) fn from_named(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        Some(Self {
            gateway: get("gateway")?,
            operator: get("operator")?,
            backend: get("backend")?,
            routes: get("routes")?,
        })
    }
}
