//! Which web pages may connect.

#[cfg(test)]
mod tests;

/// The origins that a cluster lets in.
///
/// A browser names the page that opens a connection in `Origin` (RFC 6454); other programs send
/// none and are let in, since they could send any. An empty list lets in only web pages of the
/// gateway's own scheme, host and port. An entry is
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

    /// Whether a request with these `Origin` and `Host` headers may connect. `secure` says whether
    /// it was sent over TLS, where that is known: behind a proxy it may not be.
    pub fn allows(&self, origin: Option<&str>, host: Option<&str>, secure: Option<bool>) -> bool {
        let Some(origin) = origin else { return true };
        if self.entries.iter().any(|entry| matches!(entry, Entry::Any)) {
            return true;
        }
        let Ok(origin) = split(origin) else {
            return false;
        };
        if self.entries.is_empty() {
            return origin.is_web(secure) && host.is_some_and(|host| origin.is_at(host));
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
    /// Whether this is the origin of a web page that came as the request did.
    fn is_web(self, secure: Option<bool>) -> bool {
        let https = self.scheme.eq_ignore_ascii_case("https");
        let http = self.scheme.eq_ignore_ascii_case("http");
        match secure {
            Some(secure) => {
                if secure {
                    https
                } else {
                    http
                }
            }
            None => https || http,
        }
    }

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
