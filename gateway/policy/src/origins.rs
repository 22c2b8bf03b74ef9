//! Which web pages may connect.

/// The origins that a cluster lets in.
///
/// A browser names the page that opens a connection in `Origin` (RFC 6454); other programs send
/// none and are let in, since they could send any. An empty list lets in only pages of the
/// gateway's own host. An entry is
/// - `*`: every page, also those with the opaque origin `null`;
/// - `https://app.example.com`, `http://localhost:8080`: exactly this scheme, host and port,
///   where no port means the scheme's own and `*` in its place any;
/// - `https://*.example.com`: every host below `example.com`, at any depth, but not
///   `example.com` itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    entries: Box<[Entry]>,
}

/// An entry that is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// There is no `scheme://` in front, or it is neither a web scheme nor a plain word.
    #[error("`{0}` has no scheme: write `https://{0}`")]
    Scheme(String),
    /// The host is empty or has characters that no browser sends.
    #[error(
        "`{0}` has no host that a browser would send: write names in ASCII (xn--…), and nothing after the port"
    )]
    Host(String),
    /// The star is not the whole first label.
    #[error(
        "`{0}` has a `*` where none can be: it stands alone, or as the first label of a host as in `https://*.example.com`"
    )]
    Wildcard(String),
    /// The port is no number up to 65535.
    #[error("`{0}` has no valid port: write a number from 1 to 65535, `*`, or none")]
    Port(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Any,
    Exact(Origin<Box<str>>),
    Below(Origin<Box<str>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Origin<S> {
    scheme: S,
    host: S,
    port: Port,
}

/// A missing port is the scheme's own, and 0 where the scheme has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    Any,
    Number(u16),
}

impl Origins {
    /// Reads the entries; each error comes with its entry's place in the list.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, Vec<(usize, OriginError)>> {
        let mut errors = Vec::new();
        let mut parsed = Vec::with_capacity(entries.len());
        for (index, text) in entries.iter().enumerate() {
            match Entry::parse(text.as_ref().trim()) {
                Ok(entry) => parsed.push(entry),
                Err(error) => errors.push((index, error)),
            }
        }
        if errors.is_empty() {
            Ok(Self {
                entries: parsed.into(),
            })
        } else {
            Err(errors)
        }
    }

    /// Whether a request with these `Origin` and `Host` headers may connect.
    pub fn allows(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        if self.entries.iter().any(|entry| matches!(entry, Entry::Any)) {
            return true;
        }
        let Ok(origin) = split(origin) else {
            return false;
        };
        if self.entries.is_empty() {
            return host.is_some_and(|host| origin.is_at(host));
        }
        self.entries.iter().any(|entry| entry.admits(origin))
    }
}

impl Entry {
    fn parse(text: &str) -> Result<Self, OriginError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let origin = split(text)?;
        let below = origin.host.strip_prefix("*.");
        let host = below.unwrap_or(origin.host);
        if host.contains('*') {
            return Err(OriginError::Wildcard(text.to_owned()));
        }
        let owned = Origin {
            scheme: origin.scheme.to_ascii_lowercase().into(),
            host: host.to_ascii_lowercase().into(),
            port: origin.port,
        };
        Ok(if below.is_some() {
            Self::Below(owned)
        } else {
            Self::Exact(owned)
        })
    }

    fn admits(&self, origin: Origin<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(entry) => {
                entry.same_scheme_and_port(origin) && origin.host.eq_ignore_ascii_case(&entry.host)
            }
            Self::Below(entry) => {
                entry.same_scheme_and_port(origin) && is_below(origin.host, &entry.host)
            }
        }
    }
}

impl Origin<Box<str>> {
    fn same_scheme_and_port(&self, other: Origin<&str>) -> bool {
        let port_fits = match self.port {
            Port::Any => matches!(other.port, Port::Number(_)),
            number @ Port::Number(_) => number == other.port,
        };
        port_fits && self.scheme.eq_ignore_ascii_case(other.scheme)
    }
}

impl Origin<&str> {
    /// Whether this is an origin of `host`, a `Host` header whose missing port is the scheme's.
    fn is_at(self, host: &str) -> bool {
        split_authority(host, self.scheme, host).is_ok_and(|(name, port)| {
            port != Port::Any && port == self.port && name.eq_ignore_ascii_case(self.host)
        })
    }
}

fn is_below(host: &str, parent: &str) -> bool {
    let Some(split) = host.len().checked_sub(parent.len()) else {
        return false;
    };
    let (labels, rest) = (host.get(..split), host.get(split..));
    labels
        .is_some_and(|labels| labels.len() > 1 && labels.ends_with('.') && !labels.starts_with('.'))
        && rest.is_some_and(|rest| rest.eq_ignore_ascii_case(parent))
}

fn split(text: &str) -> Result<Origin<&str>, OriginError> {
    let (scheme, authority) = text
        .split_once("://")
        .ok_or_else(|| OriginError::Scheme(text.to_owned()))?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    if scheme.is_empty() || !scheme.bytes().all(plain) {
        return Err(OriginError::Scheme(text.to_owned()));
    }
    let (host, port) = split_authority(authority, scheme, text)?;
    Ok(Origin { scheme, host, port })
}

fn split_authority<'t>(
    authority: &'t str,
    scheme: &str,
    whole: &str,
) -> Result<(&'t str, Port), OriginError> {
    let host_end = if authority.starts_with('[') {
        authority.find(']').map(|at| at + 1)
    } else {
        authority.find(':').or(Some(authority.len()))
    };
    let (host, rest) = host_end
        .and_then(|end| authority.split_at_checked(end))
        .ok_or_else(|| OriginError::Host(whole.to_owned()))?;
    if !is_host(host) {
        return Err(OriginError::Host(whole.to_owned()));
    }
    let port = match rest.strip_prefix(':') {
        None => rest.is_empty().then(|| default_port(scheme)),
        Some("*") => Some(Port::Any),
        Some(port) => numbered(port),
    };
    port.map(|port| (host, port))
        .ok_or_else(|| OriginError::Port(whole.to_owned()))
}

fn numbered(port: &str) -> Option<Port> {
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    port.parse()
        .ok()
        .filter(|&port| digits && port > 0)
        .map(Port::Number)
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'*');
    !host.is_empty() && host.bytes().all(fits)
}

fn default_port(scheme: &str) -> Port {
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    Port::Number(if is("https") || is("wss") {
        443
    } else if is("http") || is("ws") {
        80
    } else {
        0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn admits(entries: &[&str], origin: &str) -> bool {
        Origins::parse(entries)
            .unwrap()
            .allows(Some(origin), Some("gateway.example.com"))
    }

    #[test]
    fn an_exact_origin_is_scheme_host_and_port() {
        let entry = ["https://app.example.com"];
        for yes in [
            "https://app.example.com",
            "https://APP.example.com",
            "HTTPS://app.example.com:443",
        ] {
            assert!(admits(&entry, yes), "{yes}");
        }
        for no in [
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.org",
            "https://evil-app.example.com",
            "https://app.example.com/",
            "https://app.example.com@evil.org",
            "null",
            "",
        ] {
            assert!(!admits(&entry, no), "{no}");
        }
    }

    #[test]
    fn a_wildcard_admits_every_host_below_and_nothing_else() {
        let entry = ["https://*.example.com"];
        for yes in [
            "https://a.example.com",
            "https://a.b.EXAMPLE.com",
            "https://a.example.com:443",
        ] {
            assert!(admits(&entry, yes), "{yes}");
        }
        for no in [
            "https://example.com",
            "https://.example.com",
            "https://evilexample.com",
            "https://a.example.com.evil.org",
            "https://a.example.com:444",
            "http://a.example.com",
            "https://evil.org/.example.com",
            "https://evil.org#.example.com",
        ] {
            assert!(!admits(&entry, no), "{no}");
        }
    }

    #[test]
    fn a_star_admits_every_page_and_null() {
        for origin in ["https://a.b", "null", "file://", "anything at all"] {
            assert!(admits(&["https://x.org", "*"], origin), "{origin}");
        }
    }

    #[test]
    fn an_empty_list_admits_only_the_gateways_own_pages() {
        let origins = Origins::default();
        assert!(origins.allows(Some("https://chat.example.com"), Some("chat.example.com")));
        assert!(origins.allows(Some("http://localhost:3000"), Some("localhost:3000")));
        assert!(origins.allows(Some("http://[::1]:3000"), Some("[::1]:3000")));
        assert!(!origins.allows(Some("https://evil.org"), Some("chat.example.com")));
        assert!(!origins.allows(Some("http://localhost:8080"), Some("localhost:3000")));
        assert!(!origins.allows(Some("null"), Some("null")));
        assert!(!origins.allows(Some("https://chat.example.com"), None));
    }

    #[test]
    fn a_program_that_is_no_browser_is_let_in() {
        assert!(Origins::default().allows(None, Some("chat.example.com")));
        assert!(Origins::parse(&["https://a.b"]).unwrap().allows(None, None));
    }

    #[test]
    fn ports_are_compared_after_the_schemes_own_is_filled_in() {
        assert!(admits(&["http://localhost:8080"], "http://localhost:8080"));
        assert!(admits(&["http://localhost:80"], "http://localhost"));
        assert!(admits(&["capacitor://localhost"], "capacitor://localhost"));
        assert!(!admits(&["http://localhost:8080"], "http://localhost"));
    }

    #[test]
    fn a_star_for_the_port_admits_every_port_of_that_host() {
        for yes in [
            "http://localhost",
            "http://localhost:3000",
            "http://LOCALHOST:1",
        ] {
            assert!(admits(&["http://localhost:*"], yes), "{yes}");
        }
        for no in [
            "https://localhost:3000",
            "http://localhost:*",
            "http://localhost:",
            "http://a.localhost:1",
        ] {
            assert!(!admits(&["http://localhost:*"], no), "{no}");
        }
        assert!(admits(
            &["https://*.example.com:*"],
            "https://a.example.com:8443"
        ));
    }

    #[test]
    fn every_bad_entry_is_named_with_what_to_write() {
        let entries = [
            "example.com",
            "https://ok.example.com",
            "https://",
            "https://a.*.example.com",
            "https://**.example.com",
            "https://a.b:99999",
            "https://a.b/path",
            "https://exämple.com",
        ];
        let errors = Origins::parse(&entries).unwrap_err();
        assert_eq!(
            errors.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
            [0, 2, 3, 4, 5, 6, 7]
        );
        assert!(matches!(errors[0].1, OriginError::Scheme(_)));
        assert!(matches!(errors[2].1, OriginError::Wildcard(_)));
        assert!(matches!(errors[4].1, OriginError::Port(_)));
        assert!(errors[0].1.to_string().contains("https://example.com"));
    }

    proptest! {
        #[test]
        fn no_origin_header_makes_it_panic_or_let_another_host_in(text in ".{0,80}") {
            let origins = Origins::parse(&["https://*.example.com"]).unwrap();
            if origins.allows(Some(&text), Some(&text)) {
                let lower = text.to_ascii_lowercase();
                let host = lower.trim_end_matches(":443");
                prop_assert!(host.starts_with("https://") && host.ends_with(".example.com"));
            }
            let _ = Origins::parse(&[&text]);
            let _ = Origins::default().allows(Some(&text), Some(&text));
        }
    }
}
