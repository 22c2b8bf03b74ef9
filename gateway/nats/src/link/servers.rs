//! The servers that a link knows.

use rand::seq::SliceRandom as _;

use super::{ServerInfo, ServerUrl};

/// The most servers of a cluster that a link learns of.
const MOST: usize = 64;

/// The servers that a link was told, and those that they told of.
#[derive(Debug, Clone)]
pub(super) struct Servers {
    told: Vec<ServerUrl>,
    learned: Vec<ServerUrl>,
    /// The one that was connected last.
    last: Option<ServerUrl>,
}

impl Servers {
    pub(super) fn new(told: Vec<ServerUrl>) -> Self {
        Self {
            told,
            learned: Vec::new(),
            last: None,
        }
    }

    /// The server at `url` is connected.
    pub(super) fn connected(&mut self, url: &ServerUrl, info: &ServerInfo) {
        self.last = Some(url.clone());
        self.learn(url, info);
    }

    /// The server at `url` tells where else its cluster is.
    pub(super) fn learn(&mut self, url: &ServerUrl, info: &ServerInfo) {
        let urls = info.connect_urls.iter().filter_map(|at| url.sibling(at));
        let mut learned: Vec<ServerUrl> = Vec::new();
        for url in urls {
            let mut known = self.told.iter().chain(&learned);
            if !known.any(|known| known.is_same_place(&url)) && learned.len() < MOST {
                learned.push(url);
            }
        }
        self.learned = learned;
    }

    /// All servers in random order; the one that was connected last comes last.
    pub(super) fn round(&self) -> Vec<ServerUrl> {
        let mut all: Vec<_> = self.told.iter().chain(&self.learned).cloned().collect();
        all.shuffle(&mut rand::rng());
        all.sort_by_key(|url| self.last.as_ref() == Some(url));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(urls: &[&str]) -> ServerInfo {
        ServerInfo {
            connect_urls: urls.iter().map(|&url| url.to_owned()).collect(),
            ..ServerInfo::default()
        }
    }

    fn names(servers: &Servers) -> Vec<String> {
        servers.round().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_round_has_every_server_once_and_the_last_one_at_the_end() {
        let seed: ServerUrl = "nats://a".parse().unwrap();
        let mut servers = Servers::new(vec![seed.clone()]);
        assert_eq!(names(&servers), ["nats://a:4222"]);
        servers.connected(&seed, &info(&["a:4222", "b:4222", "b:4222", "c:1"]));
        let mut round = names(&servers);
        assert_eq!(round.pop().as_deref(), Some("nats://a:4222"));
        round.sort();
        assert_eq!(round, ["nats://b:4222", "nats://c:1"]);
    }

    #[test]
    fn servers_that_are_told_of_no_more_are_forgotten() {
        let seed: ServerUrl = "nats://a".parse().unwrap();
        let mut servers = Servers::new(vec![seed.clone()]);
        servers.learn(&seed, &info(&["b:1"]));
        servers.learn(&seed, &info(&["c:1"]));
        assert_eq!(servers.round().len(), 2);
        let many: Vec<_> = (1..1000).map(|port| format!("x:{port}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        servers.learn(&seed, &info(&many));
        assert_eq!(servers.round().len(), 1 + MOST);
    }
}
