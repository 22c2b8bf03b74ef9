//! Keys that tokens are checked with.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::VerificationAlgorithm;
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents};
use jsonwebtoken::{AlgorithmFamily, DecodingKey};
use sluice_crds::cluster::Algorithm;

/// The shortest shared secret: as long as the hash of HS256 (RFC 7518 section 3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// One key, ready to check signatures of the algorithms that it is for and that are allowed.
///
/// A key knows its algorithms, and a token's algorithm only ever chooses among them. So a public
/// key can never be taken for a shared secret, whatever the token's header says.
pub(crate) struct Key {
    id: Option<Box<str>>,
    verifiers: Box<[(Algorithm, Verifier)]>,
}

enum Verifier {
    Shared(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text begins as PEM does, but is none, or not of a kind that is known.
    #[error(
        "it is not a public key in PEM of RSA, EC (P-256, P-384) or Ed25519: export one with `openssl pkey -pubout`"
    )]
    Pem,
    /// The PEM holds a private key or a certificate.
    #[error(
        "it holds a private key or a certificate: give the public key alone, as `openssl pkey -pubout` prints it"
    )]
    NotPublic,
    /// The shared secret is too short.
    #[error("the shared secret is shorter than 32 bytes: make one with `openssl rand -base64 32`")]
    ShortSecret,
    /// The key has a size, curve or form that is not supported.
    #[error(
        "the key has an unsupported size or curve: use RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519"
    )]
    Unsupported,
    /// None of the allowed algorithms is one for this key.
    #[error(
        "none of the allowed algorithms fits the key: list one of its kind in `auth.jwt.algorithms`, or none at all"
    )]
    NoAlgorithm,
    /// The document is no JSON Web Key Set.
    #[error("it is not a JSON Web Key Set (RFC 7517): it needs a list `keys`")]
    KeySet,
    /// The key set has no key that can check a signature.
    #[error(
        "the key set has no key that can check a token: publish an RSA, EC or Ed25519 key with `use: sig`"
    )]
    NoKey,
}

impl Key {
    /// A shared secret, for those of the HS algorithms that it is long enough for.
    pub(crate) fn shared(secret: &[u8], allowed: &[Algorithm]) -> Result<Self, KeyError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeyError::ShortSecret);
        }
        let all = [
            (Algorithm::HS256, hmac::HMAC_SHA256, 32),
            (Algorithm::HS384, hmac::HMAC_SHA384, 48),
            (Algorithm::HS512, hmac::HMAC_SHA512, 64),
        ];
        let verifiers = all
            .into_iter()
            .filter(|&(name, _, length)| secret.len() >= length && is_allowed(name, allowed))
            .map(|(name, hash, _)| {
                (
                    name,
                    Verifier::Shared(Box::new(hmac::Key::new(hash, secret))),
                )
            })
            .collect();
        Self::with(None, verifiers)
    }

    /// A public key. `only` is the one algorithm that the key says it is for, if it does.
    pub(crate) fn public(
        key: &DecodingKey,
        id: Option<Box<str>>,
        only: Option<Algorithm>,
        allowed: &[Algorithm],
    ) -> Result<Self, KeyError> {
        let mut verifiers = Vec::new();
        let fits = |name| is_allowed(name, allowed) && only.is_none_or(|only| only == name);
        match key.family() {
            AlgorithmFamily::Hmac => return Err(KeyError::Unsupported),
            AlgorithmFamily::Rsa => {
                for (name, parameters) in RSA.into_iter().filter(|(name, _)| fits(*name)) {
                    verifiers.push((name, Verifier::Public(rsa(key, parameters)?)));
                }
            }
            AlgorithmFamily::Ec | AlgorithmFamily::Ed => {
                let bytes = key.try_get_as_bytes().map_err(|_| KeyError::Unsupported)?;
                let (name, algorithm) = curve(key.family(), bytes).ok_or(KeyError::Unsupported)?;
                let parsed =
                    ParsedPublicKey::new(algorithm, bytes).map_err(|_| KeyError::Unsupported)?;
                if fits(name) {
                    verifiers.push((name, Verifier::Public(parsed)));
                }
            }
        }
        Self::with(id, verifiers)
    }

    fn with(id: Option<Box<str>>, verifiers: Vec<(Algorithm, Verifier)>) -> Result<Self, KeyError> {
        if verifiers.is_empty() {
            return Err(KeyError::NoAlgorithm);
        }
        Ok(Self {
            id,
            verifiers: verifiers.into(),
        })
    }

    /// The key's id (`kid`).
    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether this key checks signatures of `algorithm`.
    pub(crate) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.verifiers.iter().any(|(name, _)| *name == algorithm)
    }

    /// Whether `signature` is this key's for `message`; in constant time for a shared secret.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verifier = self.verifiers.iter().find(|(name, _)| *name == algorithm);
        match verifier {
            Some((_, Verifier::Shared(key))) => hmac::verify(key, message, signature).is_ok(),
            Some((_, Verifier::Public(key))) => key.verify_sig(message, signature).is_ok(),
            None => false,
        }
    }
}

/// An empty list allows every algorithm, since a key is only ever asked for its own.
fn is_allowed(name: Algorithm, allowed: &[Algorithm]) -> bool {
    allowed.is_empty() || allowed.contains(&name)
}

const RSA: [(Algorithm, &RsaParameters); 6] = [
    (Algorithm::RS256, &signature::RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::RS384, &signature::RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::RS512, &signature::RSA_PKCS1_2048_8192_SHA512),
    (Algorithm::PS256, &signature::RSA_PSS_2048_8192_SHA256),
    (Algorithm::PS384, &signature::RSA_PSS_2048_8192_SHA384),
    (Algorithm::PS512, &signature::RSA_PSS_2048_8192_SHA512),
];

fn rsa(key: &DecodingKey, parameters: &'static RsaParameters) -> Result<ParsedPublicKey, KeyError> {
    use jsonwebtoken::DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
    match key.kind() {
        SecretOrDer(der) => ParsedPublicKey::new(parameters, der),
        RsaModulusExponent { n, e } => RsaPublicKeyComponents {
            n: without_zeros(n),
            e: without_zeros(e),
        }
        .to_parsed_public_key(parameters),
    }
    .ok()
    .filter(has_supported_size)
    .ok_or(KeyError::Unsupported)
}

fn has_supported_size(key: &ParsedPublicKey) -> bool {
    let der = key.as_der().ok();
    der.and_then(|der| PublicEncryptingKey::from_der(der.as_ref()).ok())
        .is_some_and(|key| (2048..=8192).contains(&key.key_size_bits()))
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn curve(
    family: AlgorithmFamily,
    key: &[u8],
) -> Option<(Algorithm, &'static dyn VerificationAlgorithm)> {
    match (family, key.len()) {
        (AlgorithmFamily::Ec, 65) => Some((Algorithm::ES256, &signature::ECDSA_P256_SHA256_FIXED)),
        (AlgorithmFamily::Ec, 97) => Some((Algorithm::ES384, &signature::ECDSA_P384_SHA384_FIXED)),
        (AlgorithmFamily::Ed, 32) => Some((Algorithm::EdDSA, &signature::ED25519)),
        _ => None,
    }
}
