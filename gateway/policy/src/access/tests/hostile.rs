//! Nothing that is written into a rule or a token ends the process.

use proptest::prelude::*;

use super::super::functions::FUNCTIONS;
use cel::parser::Parser;

use super::*;

#[test]
fn every_function_that_a_rule_may_call_is_there() {
    for (name, _) in FUNCTIONS {
        let parsed = Parser::new().parse(&format!("{name}()")).unwrap();
        let error = format!(
            "{:?}",
            super::super::evaluate::constant(&parsed).unwrap_err()
        );
        assert!(!error.contains("UndeclaredReference"), "{name}: {error}");
    }
}

const LEAVES: &[&str] = &[
    "claims.a",
    "claims.b.c",
    "claims",
    "user",
    "room.suffix",
    "null",
    "true",
    "''",
    "'aß'",
    "'10.0.0.0/8'",
    "'::1'",
    "'1.2.3'",
    "'5Gi'",
    "'https://a.b:1/c?d=e'",
    "b'\\xff'",
    "-1",
    "0",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615u",
    "1e308",
    "0.0",
    "64",
];

const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "<", "<=", "==", "!=", "in", "&&", "||",
];

fn rule() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(LEAVES).prop_map(str::to_owned);
    leaf.prop_recursive(3, 16, 3, |inner| {
        let name = prop::sample::select(FUNCTIONS).prop_map(|(name, _)| name);
        let operator = prop::sample::select(OPERATORS);
        let several = prop::collection::vec(inner.clone(), 0..4);
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            (name.clone(), several.clone())
                .prop_map(|(name, args)| format!("{name}({})", args.join(", "))),
            (inner.clone(), name, several.clone())
                .prop_map(|(on, name, args)| format!("{on}.{name}({})", args.join(", "))),
            (inner.clone(), operator, inner.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            several.prop_map(|all| format!("[{}]", all.join(", "))),
            two.clone().prop_map(|(a, b)| format!("{{{a}: {b}}}")),
            two.clone().prop_map(|(a, b)| format!("{a}[{b}]")),
            two.clone()
                .prop_map(|(a, b)| format!("({a} == {b} ? {a} : {b})")),
            two.clone()
                .prop_map(|(a, b)| format!("{a}.exists(x, x == {b})")),
            two.clone().prop_map(|(a, b)| format!("{a}.map(x, {b})")),
            two.prop_map(|(a, b)| format!("{a}.exists_one(x, {b})")),
            inner
                .clone()
                .prop_map(|a| format!("{a}.filter(x, has(x.y))")),
            inner.clone().prop_map(|a| format!("-{a}")),
            inner.prop_map(|a| format!("!{a}.z")),
        ]
    })
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let map = prop::collection::btree_map("[abcy]", inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Into::into),
            map.prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(3_000)))]

    #[test]
    fn no_rule_and_no_claims_make_it_panic(
        rule in rule(), claims in prop::collection::btree_map("[abc]", json(), 0..4),
    ) {
        let claims = serde_json::to_string(&claims).unwrap();
        if let Ok(compiled) = AccessRule::compile(&rule) {
            let _ = compiled.check(&identity(&claims), ROOM);
        }
    }

    #[test]
    fn no_text_makes_the_compiler_panic(
        text in "[a-z0-9.,:?!&|()\\[\\]{}'\"\\\\+ ß-]{0,60}", any in ".{0,60}",
    ) {
        let _ = AccessRule::compile(&text);
        let _ = AccessRule::compile(&any);
    }
}

#[test]
fn nesting_without_end_is_refused() {
    for (open, close) in [("(", ")"), ("[", "]"), ("!", ""), ("-", ""), ("size(", ")")] {
        for depth in (10..700).step_by(40) {
            let deep = format!("{}user{} == 1", open.repeat(depth), close.repeat(depth));
            let _ = AccessRule::compile(&deep).map(|rule| rule.check(&identity("{}"), ROOM));
        }
    }
    let long_chain = format!("user == '1' {}", "|| user == '1' ".repeat(250));
    let _ = AccessRule::compile(&long_chain).map(|rule| rule.check(&identity("{}"), ROOM));
    for chain in [
        "+1", ".a", "[0]", "-1", ".trim()", " == 1", "*1", " ? 1 : 1",
    ] {
        for length in (50..4_000).step_by(200) {
            let long = format!("claims.a{}", chain.repeat(length / chain.len()));
            let _ = AccessRule::compile(&long).map(|rule| rule.check(&identity("{}"), ROOM));
        }
    }
    let deep_claims = format!("{{\"a\":{}{}}}", "[".repeat(2_000), "]".repeat(2_000));
    fails("claims.a == 1", &deep_claims);
}
