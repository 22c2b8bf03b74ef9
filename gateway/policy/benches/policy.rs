//! What the hot paths cost, in nanoseconds: `cargo bench -p sluice-policy`.
//!
//! Each figure is the best of several rounds on one thread, which is what the code costs when
//! nothing disturbs it. Compare figures of one run with each other, not with another machine's.

#![allow(clippy::expect_used, reason = "a benchmark that cannot begin ends")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use serde_json::value::RawValue;
use sluice_contract::Revocation;
use sluice_crds::{Source, load};
use sluice_policy::{
    Action, Authenticator, Identity, Policy, Rate, Revocations, Schemas, TokenBucket, TokenRules,
    TrustedProxies,
};

const NOW: u64 = 1_700_000_000;
const SECRET: &[u8] = b"a shared secret for nothing but this benchmark";

fn main() {
    tokens();
    rooms();
    small_ones();
}

fn measure(what: &str, mut work: impl FnMut()) {
    let mut best = Duration::MAX;
    let mut rounds = 1_u32;
    for _ in 0..12 {
        let start = Instant::now();
        for _ in 0..rounds {
            work();
        }
        let elapsed = start.elapsed();
        best = best.min(elapsed / rounds);
        while elapsed < Duration::from_millis(20)
            && rounds < 1 << 24
            && best * rounds < Duration::from_millis(20)
        {
            rounds *= 2;
        }
    }
    println!("{what:<60} {:>9} ns", best.as_nanos());
}

fn tokens() {
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
    let ec = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let random = SystemRandom::new();
    let hs256 = token("HS256", |m| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), m)
            .as_ref()
            .to_vec()
    });
    let rs256 = token("RS256", |m| {
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&signature::RSA_PKCS1_SHA256, &random, m, &mut signature)
            .expect("a signature");
        signature
    });
    let es256 = token("ES256", |m| {
        ec.sign(&random, m).expect("a signature").as_ref().to_vec()
    });
    let rsa_key = pem(rsa.public_key().as_der().expect("a key").as_ref());
    let ec_key = pem(ec.public_key().as_der().expect("a key").as_ref());
    for (name, token, key) in [
        ("HS256", hs256, SECRET),
        ("RS256", rs256, &rsa_key),
        ("ES256", es256, &ec_key),
    ] {
        let rules = TokenRules {
            issuer: Some("https://id.example.com".into()),
            ..TokenRules::default()
        };
        let authenticator = Authenticator::with_key(rules, key).expect("a key");
        measure(&format!("authenticate {name}"), || {
            black_box(
                authenticator
                    .authenticate(black_box(&token), NOW)
                    .expect("a token"),
            );
        });
    }
}

fn claims() -> serde_json::Value {
    json!({
        "iss": "https://id.example.com", "sub": "anna", "exp": NOW + 60, "iat": NOW, "jti": "0b5ba3a2",
        "roles": ["customer", "editor", "reporter"], "name": "Anna Example",
    })
}

fn token(algorithm: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!(
        "{}.{}",
        part(&json!({"alg": algorithm, "typ": "JWT"})),
        part(&claims())
    );
    format!(
        "{message}.{}",
        URL_SAFE_NO_PAD.encode(sign(message.as_bytes()))
    )
}

fn pem(der: &[u8]) -> Vec<u8> {
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(der)
    )
    .into()
}

fn rooms() {
    let mut yaml = "apiVersion: sluice.dev/v1alpha1\nkind: RealtimeCluster\nmetadata: {name: chat}\nspec:\n  gateway: {replicas: 1}\n  auth: {required: false}\n".to_owned();
    for n in 0..1_000 {
        let (pattern, join) = match n % 4 {
            0 => (format!("room-{n}"), "true".to_owned()),
            1 => (
                format!("team-{n}-*"),
                "claims.roles.exists(r, r == 'editor')".to_owned(),
            ),
            2 => (
                format!("{}-{n}-*", "x".repeat(n % 20)),
                "user == room.suffix".to_owned(),
            ),
            _ => (
                format!("support-{n}-*"),
                "'agent' in claims.roles || claims.sub == room.suffix".to_owned(),
            ),
        };
        let _ = write!(
            yaml,
            "---\napiVersion: sluice.dev/v1alpha1\nkind: Room\nmetadata: {{name: r{n}}}\nspec:\n  clusterRef: {{name: chat}}\n  match: \"{pattern}\"\n  access: {{join: \"{join}\"}}\n"
        );
    }
    let documents = load(&[Source {
        name: "bench",
        text: &yaml,
    }])
    .expect("documents");
    let start = Instant::now();
    let policy = Policy::compile(&documents, &documents, None).expect("a policy");
    println!(
        "{:<60} {:>9} us",
        "compile 1,000 Rooms",
        start.elapsed().as_micros()
    );
    for (what, name) in [
        ("an exact name", "room-500"),
        ("a pattern", "support-503-anna"),
        ("no Room at all", "nothing-is-called-like-this"),
    ] {
        measure(&format!("room lookup among 1,000 Rooms: {what}"), || {
            black_box(policy.room("/", black_box(name)));
        });
    }
    access(&policy);
}

fn access(policy: &Policy) {
    let authenticator = Authenticator::with_key(TokenRules::default(), SECRET).expect("a key");
    let sign = |m: &[u8]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), m)
            .as_ref()
            .to_vec()
    };
    let identity: Identity = authenticator
        .authenticate(&token("HS256", sign), NOW)
        .expect("a token");
    for (what, room) in [
        ("the constant true", "room-500"),
        ("the design's example", "support-503-anna"),
        ("user == room.suffix", "xx-502-anna"),
        ("claims.roles.exists(…)", "team-501-a"),
    ] {
        let found = policy.room("/", room).expect("a Room");
        measure(&format!("access: {what}"), || {
            let _ = black_box(found.may(Action::Join, black_box(&identity), "/", room));
        });
    }
}

fn small_ones() {
    let (mut bucket, mut now) = (TokenBucket::new(), 0);
    measure("token bucket", || {
        now += 7;
        black_box(bucket.take(black_box(now), Rate::per_second(100)));
    });
    let proxies = TrustedProxies::parse(&["10.0.0.0/8", "fd00::/8"]).expect("networks");
    let peer = "10.0.0.1".parse().expect("an address");
    measure("client_ip behind two proxies", || {
        let header = ["203.0.113.9, 10.0.0.7"];
        black_box(proxies.client_ip(black_box(peer), header.into_iter(), std::iter::empty()));
    });
    let mut revocations = Revocations::default();
    for n in 0..50_000 {
        let entry = Revocation::Token {
            id: n.to_string().into(),
            until: u64::MAX,
        };
        revocations.revoke(entry, NOW).expect("room for it");
    }
    measure("revocation check among 50,000", || {
        let _ = black_box(revocations.check(black_box(&Identity::anonymous()), Some("s"), NOW));
    });
    let schema = json!({"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "maxLength": 500}}});
    let schema = BTreeMap::from([(
        "message".to_owned(),
        schema.as_object().expect("a map").clone(),
    )]);
    let schemas = Schemas::compile(&schema).expect("a schema");
    let data = RawValue::from_string(
        r#"{"text":"a message of the usual length, or so","n":1}"#.to_owned(),
    )
    .expect("JSON");
    measure("schema check of a small message", || {
        let _ = black_box(schemas.validate("message", black_box(&data)));
    });
}
