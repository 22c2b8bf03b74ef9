//! Where a server is.

use std::{fmt, str::FromStr};

use thiserror::Error;
use url::{Host, Url};

use super::Auth;

/// The port that servers have unless told otherwise.
const PORT: u16 = 4222;

/// Why a text is not the URL of a NATS server. The text is left out: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UrlError {
    /// The text is not a URL.
    #[error("the URL of a NATS server cannot be read ({0}); write it like nats://host:4222")]
    Unreadable(#[from] url::ParseError),
    /// The URL has another scheme.
    #[error("the URL of a NATS server begins with {0}://; it must be nats:// or tls://")]
    Scheme(String),
    /// The URL has no host.
    #[error("the URL of a NATS server has no host; write it like nats://host:4222")]
    NoHost,
    /// A part that means nothing to NATS.
    #[error("the URL of a NATS server has a path, a query or a fragment; leave it out")]
    Surplus,
    /// A user or password with a percent sign that encodes nothing readable.
    #[error("the user or password in the URL of a NATS server is not percent-encoded UTF-8")]
    UserInfo,
}

impl UrlError {
    /// The stable code for logs and counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "nats_url_unreadable",
            Self::Scheme(_) => "nats_url_scheme",
            Self::NoHost => "nats_url_no_host",
            Self::Surplus => "nats_url_surplus",
            Self::UserInfo => "nats_url_user_info",
        }
    }
}

/// Who a URL says the client is.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct UserInfo {
    /// A user, or a token where there is no password.
    pub(super) user: String,
    pub(super) password: Option<String>,
}

impl From<&UserInfo> for Auth {
    fn from(info: &UserInfo) -> Self {
        let user = info.user.clone();
        match &info.password {
            Some(password) => Self::UserPassword {
                user,
                password: password.clone(),
            },
            None => Self::Token(user),
        }
    }
}

/// `nats://` or `tls://`, perhaps a user and password or a token, a host and a port. It is shown
/// without the user.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user_info: Option<UserInfo>,
    /// The name that the certificate must be for, where that is not the host.
    pub(super) tls_name: Option<String>,
}

impl ServerUrl {
    /// The name that the server's certificate must be for.
    pub(super) fn certificate_name(&self) -> &str {
        self.tls_name.as_deref().unwrap_or(&self.host)
    }

    /// Whom the URL names, if it names anybody.
    pub fn login(&self) -> Option<Auth> {
        self.user_info.as_ref().map(Auth::from)
    }

    /// Whether both lead to the same port of the same host.
    pub(super) fn is_same_place(&self, other: &Self) -> bool {
        self.port == other.port && self.host.eq_ignore_ascii_case(&other.host)
    }

    /// The server at `address` (`host:port`), of which `self` told: the same credentials and
    /// encryption hold there. An IP address is in few certificates, so the name that was asked for
    /// first counts there, too.
    pub(super) fn sibling(&self, address: &str) -> Option<Self> {
        let scheme = if self.tls { "tls" } else { "nats" };
        let mut sibling: Self = format!("{scheme}://{address}").parse().ok()?;
        sibling.user_info.clone_from(&self.user_info);
        if sibling.host.parse::<std::net::IpAddr>().is_ok() {
            sibling.tls_name = Some(self.certificate_name().to_owned());
        }
        Some(sibling)
    }
}

impl FromStr for ServerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let url = Url::parse(text)?;
        let tls = match url.scheme() {
            "nats" => false,
            "tls" => true,
            other => return Err(UrlError::Scheme(other.to_owned())),
        };
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => return Err(UrlError::NoHost),
        };
        let path = !matches!(url.path(), "" | "/");
        if path || url.query().is_some() || url.fragment().is_some() {
            return Err(UrlError::Surplus);
        }
        Ok(Self {
            tls,
            host,
            port: url.port().unwrap_or(PORT),
            user_info: user_info(&url)?,
            tls_name: None,
        })
    }
}

fn user_info(url: &Url) -> Result<Option<UserInfo>, UrlError> {
    if url.username().is_empty() {
        return Ok(None);
    }
    Ok(Some(UserInfo {
        user: decoded(url.username())?,
        password: url.password().map(decoded).transpose()?,
    }))
}

fn decoded(text: &str) -> Result<String, UrlError> {
    let text = percent_encoding::percent_decode_str(text).decode_utf8();
    Ok(text.map_err(|_| UrlError::UserInfo)?.into_owned())
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "tls" } else { "nats" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// Without the user and the password, as for display.
impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> ServerUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_has_the_usual_port_and_never_shows_its_user() {
        let url = url("nats://ann:s%40crt@nats.example");
        let user = url.user_info.as_ref().unwrap();
        assert_eq!(
            (user.user.as_str(), user.password.as_deref()),
            ("ann", Some("s@crt"))
        );
        assert_eq!(url.to_string(), "nats://nats.example:4222");
        assert_eq!(format!("{url:?}"), "nats://nats.example:4222");
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        let url = url("tls://[::1]:4300/");
        assert_eq!((url.host.as_str(), url.port, url.tls), ("::1", 4300, true));
        assert_eq!(url.to_string(), "tls://[::1]:4300");
    }

    #[test]
    fn what_leads_to_no_nats_server_is_refused() {
        let error = |text: &str| text.parse::<ServerUrl>().unwrap_err().code();
        assert_eq!(error("nats.example"), "nats_url_unreadable");
        assert_eq!(error("ws://nats.example"), "nats_url_scheme");
        assert_eq!(error("nats:foo"), "nats_url_no_host");
        assert_eq!(error("nats://host/path"), "nats_url_surplus");
        assert_eq!(error("nats://a%ff@host"), "nats_url_user_info");
    }

    #[test]
    fn a_server_that_another_told_of_is_met_in_the_same_way() {
        let seed = url("tls://ann:secret@nats.example");
        let address = seed.sibling("10.0.0.2:4222").unwrap();
        assert!(address.tls && address.user_info == seed.user_info);
        assert_eq!(address.certificate_name(), "nats.example");
        let name = seed.sibling("nats-1.example:4222").unwrap();
        assert_eq!(name.certificate_name(), "nats-1.example");
        assert!(seed.sibling("").is_none());
    }
}
