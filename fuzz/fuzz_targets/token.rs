//! Whatever a client sends as its token, it is one or it is not; also where it is signed rightly,
//! as a careless provider might sign anything.
#![no_main]

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;
use sluice_policy::{Authenticator, MAX_TOKEN_BYTES, TokenRules};

const KEY: &[u8] = b"a shared secret of more than 32 bytes";

static AUTHENTICATOR: LazyLock<Authenticator> =
    LazyLock::new(
        || match Authenticator::with_key(TokenRules::default(), KEY) {
            Ok(authenticator) => authenticator,
            Err(error) => panic!("{error}"),
        },
    );

fuzz_target!(|input: (Option<&str>, &str)| {
    let (head, payload) = input;
    let head = head.unwrap_or(r#"{"alg":"HS256"}"#);
    let _ = AUTHENTICATOR.authenticate(payload, 0);
    let token = sign(head, payload);
    if let Ok(identity) = AUTHENTICATOR.authenticate(&token, 0) {
        assert!(token.len() <= MAX_TOKEN_BYTES && !identity.user().is_empty());
        assert_eq!(identity.claims(), payload);
    }
});

fn sign(head: &str, payload: &str) -> String {
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let signed = format!("{}.{}", encode(head.as_bytes()), encode(payload.as_bytes()));
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(KEY) else {
        panic!("HMAC takes keys of any length")
    };
    mac.update(signed.as_bytes());
    format!("{signed}.{}", encode(&mac.finalize().into_bytes()))
}
