//! Compressing the answers to polls (RFC 9110, section 8.4.1).

use std::{io, io::Write, rc::Rc};

use bytes::Bytes;
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING},
};
use tokio::sync::Semaphore;

/// Shorter answers are not compressed, as in the JavaScript server: it would hardly make them
/// smaller.
const FROM: usize = 1_024;

/// So many bytes are compressed before others have their turn, in well under a millisecond.
const SLICE: usize = 32 * 1024;

/// How an answer can be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Deflate,
}

impl Encoding {
    /// What a client takes and likes best, and of two that it likes the same, gzip.
    pub(crate) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let quality = |encoding: &str| {
            let values = headers.get_all(ACCEPT_ENCODING).into_iter();
            let mut named = values
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .filter_map(quality_of);
            named
                .find(|(name, _)| name.eq_ignore_ascii_case(encoding))
                .map_or(0.0, |(_, quality)| quality)
        };
        let (gzip, deflate) = (quality("gzip"), quality("deflate"));
        if gzip <= 0.0 && deflate <= 0.0 {
            return None;
        }
        Some(if gzip >= deflate {
            Self::Gzip
        } else {
            Self::Deflate
        })
    }

    fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        })
    }
}

/// A coding's name and its weight, 1 unless it is given (RFC 9110, section 12.4.2).
fn quality_of(coding: &str) -> Option<(&str, f32)> {
    let (name, parameter) = coding.split_once(';').unwrap_or((coding, "q=1"));
    let quality = parameter.trim().strip_prefix("q=")?.trim().parse().ok()?;
    Some((name.trim(), quality))
}

/// What compresses the answers of one worker: one at a time, since each takes some 300 KiB while it
/// is compressed.
#[derive(Debug, Clone)]
pub(crate) struct Compressor(Rc<Semaphore>);

impl Compressor {
    pub(crate) fn new() -> Self {
        Self(Rc::new(Semaphore::new(1)))
    }

    /// How an answer to a request with these headers is to be compressed, if at all.
    pub(crate) fn encoding(headers: &HeaderMap, body: &[u8]) -> Option<Encoding> {
        if body.len() < FROM {
            return None;
        }
        Encoding::accepted(headers)
    }

    /// Compresses a body, while others have their turns.
    async fn compress(&self, encoding: Encoding, body: &[u8]) -> io::Result<Vec<u8>> {
        // It is never closed, so everybody gets a turn.
        let _turn = self.0.acquire().await;
        match encoding {
            Encoding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                feed(&mut encoder, body).await?;
                encoder.finish()
            }
            Encoding::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                feed(&mut encoder, body).await?;
                encoder.finish()
            }
        }
    }

    /// Compresses the body of a response, where its client takes that.
    pub(crate) async fn apply(
        &self,
        encoding: Encoding,
        body: Bytes,
        head: &mut HeaderMap,
    ) -> Bytes {
        match self.compress(encoding, &body).await {
            Ok(packed) => {
                head.insert(CONTENT_ENCODING, encoding.name());
                packed.into()
            }
            // Nothing can fail that writes into memory; the body is right as it is.
            Err(_) => body,
        }
    }
}

async fn feed(encoder: &mut impl Write, body: &[u8]) -> io::Result<()> {
    for (index, slice) in body.chunks(SLICE).enumerate() {
        if index > 0 {
            tokio::task::yield_now().await;
        }
        encoder.write_all(slice)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(values: &[&'static str]) -> Option<Encoding> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT_ENCODING, HeaderValue::from_static(value));
        }
        Encoding::accepted(&headers)
    }

    #[test]
    fn a_client_gets_what_it_likes_best_of_what_there_is() {
        let (gzip, deflate) = (Some(Encoding::Gzip), Some(Encoding::Deflate));
        for (values, wanted) in [
            (&["gzip, deflate, br"][..], gzip),
            (&["deflate, GZIP"], gzip),
            (&["br, deflate"], deflate),
            (&["gzip;q=0.2", "deflate; q=0.5"], deflate),
            (&["gzip;q=0, deflate"], deflate),
            (&["gzip;q=0"], None),
            (&["br"], None),
            (&["identity, *"], None),
            (&["gzip;q=x"], None),
            (&[], None),
        ] {
            assert_eq!(accepted(values), wanted, "{values:?}");
        }
    }
}
