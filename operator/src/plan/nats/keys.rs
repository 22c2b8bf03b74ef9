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
    /// Those of the logins of 0.1.0, which may do more, by user: they are there until nobody needs
    /// them.
    pub former: BTreeMap<String, String>,
}

/// What the users of gateways, operator and backends are called.
pub(crate) const GATEWAY: &str = "sluice-gateway";
pub(crate) const OPERATOR: &str = "sluice-operator";
pub(crate) const BACKEND: &str = "sluice-backend";

/// The server's own user, for each other.
const ROUTES: &str = "routes";

/// What 0.1.0 calls them.
pub(crate) const FORMER_GATEWAY: &str = "gateway";
pub(crate) const FORMER_OPERATOR: &str = "operator";
pub(crate) const FORMER_BACKEND: &str = "backend";
const FORMER: [&str; 3] = [FORMER_GATEWAY, FORMER_OPERATOR, FORMER_BACKEND];

/// Who of the logins of 0.1.0 is still needed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needed {
    /// Gateways that know no other may still be there, or come back.
    pub(crate) gateways: bool,
    /// Backends have been given it, and no other since.
    pub(crate) backends: bool,
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
            (GATEWAY, &self.gateway),
            (OPERATOR, &self.operator),
            (BACKEND, &self.backend),
            (ROUTES, &self.routes),
        ]
    }

    /// A login of 0.1.0 with its password, where there still is one, or the one in its place.
    pub(crate) fn former_or<'a>(
        &'a self,
        former: &'static str,
        (user, password): (&'static str, &'a str),
    ) -> (&'static str, &'a str) {
        let known = self.former.get(former);
        known.map_or((user, password), |password| (former, password))
    }

    /// The passwords of applications, former ones too, with the names of their users.
    pub(crate) fn of_applications(&self) -> impl Iterator<Item = (String, &str)> {
        let all = self.applications.iter().chain(&self.former_applications);
        all.map(|(name, password)| (application_user(name), password.as_str()))
    }

    /// The passwords that are `stored` by the names of their users, and those that were known
    /// `before` where they are not; without those of applications. Where anything is stored, there
    /// are no more logins of 0.1.0 than that, and of these the ones that are `needed`.
    pub(crate) fn stored(stored: &BTreeMap<String, String>, before: &Self, needed: Needed) -> Self {
        let get = |user: &str, before: &String| stored.get(user).unwrap_or(before).clone();
        let known = if stored.is_empty() {
            &before.former
        } else {
            stored
        };
        let former = FORMER.into_iter().filter(|user| match *user {
            FORMER_BACKEND => needed.backends,
            _ => needed.gateways,
        });
        let former = former.filter_map(|user| Some((user.to_owned(), known.get(user)?.clone())));
        Self {
            gateway: get(GATEWAY, &before.gateway),
            operator: get(OPERATOR, &before.operator),
            backend: get(BACKEND, &before.backend),
            routes: get(ROUTES, &before.routes),
            former: former.collect(),
            ..Self::default()
        }
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
    fn logins_of_an_earlier_version_stay_until_nobody_needs_them() {
        let stored = passwords(&[
            ("gateway", "g"),
            ("operator", "o"),
            ("backend", "b"),
            ("routes", "r"),
        ]);
        let before = Keys {
            gateway: "fresh".to_owned(),
            routes: "fresh".to_owned(),
            ..Keys::default()
        };
        let keys = |gateways, backends| {
            let needed = Needed { gateways, backends };
            Keys::stored(&stored, &before, needed)
        };
        let all = keys(true, true);
        assert_eq!((all.gateway.as_str(), all.routes.as_str()), ("fresh", "r"));
        assert_eq!(all.former.len(), 3);
        let backend = passwords(&[("backend", "b")]);
        assert_eq!(keys(false, true).former, backend);
        assert_eq!(keys(false, false).former, passwords(&[]));
        let own = (GATEWAY, "new");
        assert_eq!(all.former_or(FORMER_GATEWAY, own), ("gateway", "g"));
        assert_eq!(keys(false, true).former_or(FORMER_GATEWAY, own), own);
    }

    #[test]
    fn a_cluster_that_is_made_anew_has_no_logins_of_an_earlier_version() {
        let needed = Needed {
            gateways: true,
            backends: true,
        };
        let keys = Keys::stored(&passwords(&[]), &Keys::default(), needed);
        assert_eq!(keys.former, passwords(&[]));
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
