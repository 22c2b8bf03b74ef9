//! Keys and tokens for tests, made afresh in each run.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::Jwk;
use serde_json::{Value, json};

use crate::Algorithm;

pub(crate) const SECRET: &[u8] =
    b"a shared secret that is long enough for HS512, sixty-four or more";

pub(crate) static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
pub(crate) static P256: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
pub(crate) static P384: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap());
pub(crate) static ED25519: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::generate().unwrap());

/// Signs `message` as `algorithm` wants, with the key of its kind.
pub(crate) fn sign(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::HS256 => hmac_tag(hmac::HMAC_SHA256, SECRET, message),
        Algorithm::HS384 => hmac_tag(hmac::HMAC_SHA384, SECRET, message),
        Algorithm::HS512 => hmac_tag(hmac::HMAC_SHA512, SECRET, message),
        Algorithm::RS256 => rsa_signature(&RSA, &signature::RSA_PKCS1_SHA256, message),
        Algorithm::RS384 => rsa_signature(&RSA, &signature::RSA_PKCS1_SHA384, message),
        Algorithm::RS512 => rsa_signature(&RSA, &signature::RSA_PKCS1_SHA512, message),
        Algorithm::PS256 => rsa_signature(&RSA, &signature::RSA_PSS_SHA256, message),
        Algorithm::PS384 => rsa_signature(&RSA, &signature::RSA_PSS_SHA384, message),
        Algorithm::PS512 => rsa_signature(&RSA, &signature::RSA_PSS_SHA512, message),
        Algorithm::ES256 => P256
            .sign(&SystemRandom::new(), message)
            .unwrap()
            .as_ref()
            .to_vec(),
        Algorithm::ES384 => P384
            .sign(&SystemRandom::new(), message)
            .unwrap()
            .as_ref()
            .to_vec(),
        Algorithm::EdDSA => ED25519.sign(message).as_ref().to_vec(),
    }
}

pub(crate) fn hmac_tag(hash: hmac::Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hash, secret), message)
        .as_ref()
        .to_vec()
}

pub(crate) fn rsa_signature(
    key: &RsaKeyPair,
    encoding: &'static dyn signature::RsaEncoding,
    message: &[u8],
) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message, &mut signature)
        .unwrap();
    signature
}

/// A token of `algorithm`'s own key.
pub(crate) fn token(algorithm: Algorithm, claims: &Value) -> String {
    let header = json!({"typ": "JWT", "alg": format!("{algorithm:?}")});
    forged(&header, claims, |message| sign(algorithm, message))
}

/// A token with any header and any signature.
pub(crate) fn forged(
    header: &Value,
    claims: &Value,
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> String {
    signed_text(&format!("{}.{}", part(header), part(claims)), sign)
}

pub(crate) fn signed_text(message: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    format!(
        "{message}.{}",
        URL_SAFE_NO_PAD.encode(sign(message.as_bytes()))
    )
}

pub(crate) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The public key of `algorithm`, in PEM; the shared secret for HS.
pub(crate) fn key_text(algorithm: Algorithm) -> Vec<u8> {
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => SECRET.to_vec(),
        Algorithm::ES256 => pem(P256.public_key().as_der().unwrap().as_ref()),
        Algorithm::ES384 => pem(P384.public_key().as_der().unwrap().as_ref()),
        Algorithm::EdDSA => pem(ED25519.public_key().as_der().unwrap().as_ref()),
        _ => pem(RSA.public_key().as_der().unwrap().as_ref()),
    }
}

fn pem(der: &[u8]) -> Vec<u8> {
    labelled("PUBLIC KEY", der)
}

pub(crate) fn labelled(label: &str, der: &[u8]) -> Vec<u8> {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
    .into()
}

/// The public key of `algorithm` as a JSON Web Key with `extra` members.
pub(crate) fn jwk(algorithm: Algorithm, extra: &Value) -> Value {
    let text = key_text(algorithm);
    let key = match algorithm {
        Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(&text),
        Algorithm::EdDSA => DecodingKey::from_ed_pem(&text),
        _ => DecodingKey::from_rsa_pem(&text),
    };
    let mut jwk =
        serde_json::to_value(Jwk::from_decoding_key(&key.unwrap(), None).unwrap()).unwrap();
    jwk.as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    jwk
}
