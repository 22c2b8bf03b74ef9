//! Where the backend is and how much it is asked.

use std::{fmt, time::Duration};

use aws_lc_rs::hmac;
use reqwest::Url;
use thiserror::Error;

use super::CircuitSettings;

/// The shortest secret that is taken, in bytes.
pub const MIN_SECRET_BYTES: usize = 16;

/// Why a configuration is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// Not a URL that can be posted to.
    #[error(
        "the webhook's URL is not an http or https URL; write it like https://backend.example.com/sluice"
    )]
    Url,
    /// It could be guessed.
    #[error(
        "the webhook's secret is shorter than 16 bytes; make one with: openssl rand -base64 32"
    )]
    SecretTooShort,
    /// A bound that lets nothing through.
    #[error("the webhook's {0} is zero, so no request could succeed; set it above zero")]
    Zero(&'static str),
}

/// A webhook's configuration. [`Config::new`] gives sensible bounds.
#[derive(Clone)]
pub struct Config {
    pub(super) url: Url,
    pub(super) key: hmac::Key,
    /// How long a request may take, all tries together.
    pub timeout: Duration,
    /// How long one try may take.
    pub try_timeout: Duration,
    /// How often a request is tried at most.
    pub tries: u32,
    /// How many requests are under way at once; more are refused.
    pub concurrency: usize,
    /// The largest answer, in bytes.
    pub answer_bytes: usize,
    /// How many ended sessions wait to be told of; beyond that the oldest are forgotten.
    pub disconnects: usize,
    /// The shortest time between two batches of ended sessions.
    pub disconnects_pause: Duration,
    /// When to leave the backend alone.
    pub circuit: CircuitSettings,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or_default();
        f.debug_struct("Config")
            .field("host", &host)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Requests to `url`, signed with `secret`, that take at most `timeout`. All bytes of the secret
    /// count, so that a backend that mounts the same Secret has the same ones.
    ///
    /// One try may take half of the time, and there are four at most; 256 requests are under way
    /// at once; an answer has at most 64 KiB; 10,000 ended sessions wait, ten batches a second.
    pub fn new(url: &str, secret: &[u8], timeout: Duration) -> Result<Self, ConfigError> {
        let url = Url::parse(url).map_err(|_| ConfigError::Url)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ConfigError::Url);
        }
        if secret.len() < MIN_SECRET_BYTES {
            return Err(ConfigError::SecretTooShort);
        }
        if timeout.is_zero() {
            return Err(ConfigError::Zero("timeout"));
        }
        Ok(Self {
            url,
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
            timeout,
            try_timeout: timeout / 2,
            tries: 4,
            concurrency: 256,
            answer_bytes: 2 << 20,
            disconnects: 10_000,
            disconnects_pause: Duration::from_millis(100),
            circuit: CircuitSettings::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"a-secret-of-the-tests";
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_cannot_work_is_refused() {
        for url in ["", "backend/sluice", "ftp://backend/sluice", "http://"] {
            assert_eq!(
                Config::new(url, SECRET, SECOND).unwrap_err(),
                ConfigError::Url,
                "{url}"
            );
        }
        let url = "https://backend/sluice";
        assert_eq!(
            Config::new(url, b"short", SECOND).unwrap_err(),
            ConfigError::SecretTooShort
        );
        let zero = Config::new(url, SECRET, Duration::ZERO).unwrap_err();
        assert_eq!(zero, ConfigError::Zero("timeout"));
    }

    #[test]
    fn neither_secret_nor_credentials_are_shown_in_logs() {
        let config = Config::new("https://u:pass@backend/token", SECRET, SECOND).unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains("a-secret") && !shown.contains("pass") && !shown.contains("token"));
    }
}
