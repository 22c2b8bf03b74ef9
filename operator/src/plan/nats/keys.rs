use std::collections::{BTreeMap, BTreeSet};

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
    /// Those of each application, by its name.
    pub applications: BTreeMap<String, String>,
    /// Those of applications that are wanted no more, by name, whose logins are still there.
    pub former_applications: BTreeMap<String, String>,
}

/// What the names of applications' users begin with.
const APPLICATION: &str = "app-";

/// What the user of an application is called.
pub(crate) fn application_user(application: &str) -> String {
    format!("{APPLICATION}{application}")
}

/// The application that a user belongs to, if it is one's.
pub(crate) fn application_of(user: &str) -> Option<&str> {
    user.strip_prefix(APPLICATION)
}

impl Keys {
    /// Each password that every cluster has, with the name of its user.
    pub(crate) fn named(&self) -> [(&'static str, &str); 4] {
        [
            ("gateway", &self.gateway),
            ("operator", &self.operator),
            ("backend", &self.backend),
            ("routes", &self.routes),
        ]
    }

    /// The passwords of applications, former ones too, with the names of their users.
    pub(crate) fn of_applications(&self) -> impl Iterator<Item = (String, &str)> {
        let all = self.applications.iter().chain(&self.former_applications);
        all.map(|(name, password)| (application_user(name), password.as_str()))
    }

    /// The passwords by the names of their users, without those of applications; `None` unless all
    /// are there.
    pub(crate) fn from_named(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        Some(Self {
            gateway: get("gateway")?,
            operator: get("operator")?,
            backend: get("backend")?,
            routes: get("routes")?,
            ..Self::default()
        })
    }

    /// Gives each wanted application its password: one that is `stored`, by the name of its user,
    /// one that `before` has, or a `fresh` one. Those that are stored and not wanted are former ones.
    pub(crate) fn give_applications(
        &mut self,
        wanted: &BTreeSet<String>,
        mut stored: BTreeMap<String, String>,
        before: &BTreeMap<String, String>,
        fresh: impl Fn() -> String,
    ) {
        let password = |name: &String| {
            let known = stored.remove(&application_user(name));
            let known = known.or_else(|| before.get(name).cloned());
            (name.clone(), known.unwrap_or_else(&fresh))
        };
        self.applications = wanted.iter().map(password).collect();
        let former = stored.into_iter();
        self.former_applications = former
            .filter_map(|(user, password)| Some((application_of(&user)?.to_owned(), password)))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, password): &(&str, &str)| ((*name).to_owned(), (*password).to_owned());
        entries.iter().map(owned).collect()
    }

    #[test]
    fn an_application_keeps_its_password_and_one_that_is_wanted_no_more_is_a_former_one() {
        let mut keys = Keys::default();
        keys.give_applications(
            &["chat", "lost", "new"].map(str::to_owned).into(),
            passwords(&[("gateway", "g"), ("app-chat", "c"), ("app-old", "o")]),
            &passwords(&[("lost", "l"), ("chat", "earlier")]),
            || "fresh".to_owned(),
        );
        assert_eq!(
            keys.applications,
            passwords(&[("chat", "c"), ("lost", "l"), ("new", "fresh")])
        );
        assert_eq!(keys.former_applications, passwords(&[("old", "o")]));
    }
}
