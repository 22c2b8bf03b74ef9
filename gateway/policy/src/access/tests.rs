//! Rules, and who they let in.

mod hostile;

use std::sync::Arc;

use super::*;

fn identity(claims: &str) -> Identity {
    Identity::new(Arc::from("anna"), None, claims.into(), u64::MAX, 0)
}

const ROOM: RoomInput<'_> = RoomInput {
    name: "support-7",
    namespace: "/",
    suffix: "7",
};

fn check(rule: &str, claims: &str) -> Result<(), AccessError> {
    AccessRule::compile(rule)
        .unwrap()
        .check(&identity(claims), ROOM)
}

fn fails(rule: &str, claims: &str) -> String {
    match check(rule, claims) {
        Err(AccessError::Failed(text)) => text,
        other => panic!("{rule} gave {other:?}"),
    }
}

#[test]
fn the_designs_example_lets_agents_in_and_users_into_their_own_room() {
    let rule = "'agent' in claims.roles || claims.sub == room.suffix";
    assert_eq!(check(rule, r#"{"sub":"1","roles":["agent"]}"#), Ok(()));
    assert_eq!(check(rule, r#"{"sub":"7","roles":[]}"#), Ok(()));
    assert_eq!(check(rule, r#"{"sub":"7"}"#), Ok(()));
    assert_eq!(
        check(rule, r#"{"sub":"8","roles":["customer"]}"#),
        Err(AccessError::Denied)
    );
    assert!(fails(rule, r#"{"sub":"8"}"#).contains("no claim `roles`"));
}

#[test]
fn a_constant_needs_no_claims() {
    for (rule, allowed) in [("true", true), ("false", false), (" true\n", true)] {
        let compiled = AccessRule::compile(rule).unwrap();
        assert!(matches!(compiled.kind, Kind::Always(_)));
        assert_eq!(
            compiled.check(&Identity::anonymous(), ROOM).is_ok(),
            allowed
        );
    }
}

#[test]
fn a_rule_sees_the_user_the_room_and_nested_claims() {
    let claims = r#"{"sub":"anna","org":{"id":"acme","teams":[{"name":"red","level":3}]},"n":1.5,"big":18446744073709551615}"#;
    for rule in [
        "user == 'anna'",
        "room.name == 'support-7' && room.namespace == '/' && room.suffix == '7'",
        "room['suffix'] == '7'",
        "claims.org.id == 'acme'",
        "claims['org']['id'] == 'acme'",
        "claims.org.teams.exists(t, t.name == 'red' && t.level >= 3)",
        "claims.org.teams[0].level == 3",
        "claims.org.teams.map(t, t.name).join(',') == 'red'",
        "claims.org.teams.filter(t, t.level > 5).size() == 0",
        "has(claims.org) && !has(claims.nothing) && has(claims.org.id) && !has(claims.org.nothing)",
        "'org' in claims && !('nothing' in claims)",
        "-claims.n < 0.0 && -claims.org.teams[0].level == -3",
        "claims.n > 1.0 && claims.big > 0u",
        "size(claims) == 4",
        "claims.all(name, name != 'admin')",
        "claims[user + ''] == 1 || true",
        "room.suffix.matches('^[0-9]+$')",
        "sets.intersects(['red'], claims.org.teams.map(t, t.name))",
        "room.name.split('-')[1] == room.suffix",
        "math.greatest(1, 2) == 2",
        "claims.org.id.lowerAscii().startsWith('ac')",
        "claims.?nothing == 1 || true",
    ] {
        match AccessRule::compile(rule) {
            Ok(compiled) => assert_eq!(compiled.check(&identity(claims), ROOM), Ok(()), "{rule}"),
            Err(error) => assert!(rule.contains(".?"), "{rule}: {error}"),
        }
    }
}

#[test]
fn claims_with_odd_names_can_be_read_by_index() {
    let claims = r#"{"https://example.com/roles":["a"],"a.b":1,"claims?x":2}"#;
    assert_eq!(
        check("'a' in claims['https://example.com/roles']", claims),
        Ok(())
    );
    assert_eq!(
        check("claims['a.b'] == 1 && 'a.b' in claims", claims),
        Ok(())
    );
    assert_eq!(check("has(claims.x)", claims), Err(AccessError::Denied));
}

#[test]
fn an_anonymous_connection_has_no_claims_and_no_name() {
    let rule = AccessRule::compile("!has(claims.sub) && size(claims) == 0 && user == ''").unwrap();
    assert_eq!(rule.check(&Identity::anonymous(), ROOM), Ok(()));
}

#[test]
fn a_field_of_what_has_no_fields_is_a_no_also_behind_a_not() {
    for rule in [
        "!claims.user.banned",
        "!(claims.user.a.b == 'x')",
        "!has(claims.user.banned)",
    ] {
        for claims in [
            r#"{"user":"anna"}"#,
            r#"{"user":7}"#,
            r#"{"user":true}"#,
            r#"{"user":null}"#,
        ] {
            fails(rule, claims);
        }
    }
}

#[test]
fn types_that_do_not_fit_are_a_no() {
    for (rule, claims) in [
        ("claims.roles", r#"{"roles":["agent"]}"#),
        ("claims.roles", r#"{"roles":"true"}"#),
        ("claims.level > 3", r#"{"level":"9"}"#),
        ("'agent' in claims.roles", r#"{"roles":7}"#),
        ("claims.roles.exists(r, r == 'agent')", r#"{"roles":7}"#),
        ("claims.a && claims.b", r#"{"a":true,"b":"true"}"#),
        ("!claims.a", r#"{"a":"false"}"#),
        ("claims.a + claims.b == 3", r#"{"a":1,"b":"2"}"#),
        ("1 / claims.a > 0", r#"{"a":0}"#),
        ("-claims.a > 0", r#"{"a":-9223372036854775808}"#),
        ("-claims.a > 0", r#"{"a":"1"}"#),
        ("claims.a + 1 > 0", r#"{"a":9223372036854775807}"#),
        ("claims.a[5] == 1", r#"{"a":[1]}"#),
        ("claims.a[-1] == 1", r#"{"a":[1]}"#),
        ("claims.a.startsWith('x')", r#"{"a":7}"#),
        ("'x'", "{}"),
        ("claims.a == 1", "[]"),
    ] {
        fails(rule, claims);
    }
}

#[test]
fn what_went_wrong_never_shows_a_value_of_the_token() {
    let claims = r#"{"secret":"hunter2","list":["hunter2"],"n":4711}"#;
    for rule in [
        "claims.secret > 1",
        "claims.list.hunter > 1",
        "claims.secret.missing",
        "claims.list[claims.n]",
        "ip(claims.secret) == ip('::1')",
        "claims.secret[claims.n]",
    ] {
        let text = fails(rule, claims);
        assert!(
            !text.contains("hunter2") && !text.contains("4711"),
            "{rule}: {text}"
        );
    }
}

#[test]
fn what_is_no_rule_is_refused_with_its_place_or_name() {
    let refused = |rule: &str| AccessRule::compile(rule).unwrap_err();
    assert!(matches!(
        refused("claims.roles ==\n == 'a'"),
        RuleError::Syntax { line: 2, .. }
    ));
    for rule in [
        "", "&&", "a b", "'open", "(", "claims.", "1 +", "\u{0}", "[1,", "{'a'}", "x ? y",
    ] {
        assert!(matches!(refused(rule), RuleError::Syntax { .. }), "{rule}");
    }
    assert_eq!(
        refused("claim.sub == 'a'"),
        RuleError::Undeclared("claim".into())
    );
    assert_eq!(refused("sub == user"), RuleError::Undeclared("sub".into()));
    assert_eq!(
        refused("room.owner == user"),
        RuleError::RoomField("room.owner".into())
    );
    assert_eq!(
        refused("size(room) > 0"),
        RuleError::RoomField("room".into())
    );
    assert_eq!(
        refused("claims.a.admin()"),
        RuleError::Function("admin".into())
    );
    assert_eq!(
        refused("math.cube(3) == 27"),
        RuleError::Function("math.cube".into())
    );
    assert_eq!(
        refused("'%s'.format([1]) == '1'"),
        RuleError::Function("format".into())
    );
    assert_eq!(
        refused("[1].all(user, user > 0)"),
        RuleError::Shadowed("user".into())
    );
    assert!(matches!(
        refused("Foo{a: 1} == 1"),
        RuleError::Unsupported(_)
    ));
    assert_eq!(refused("user.matches('(')"), RuleError::Pattern("(".into()));
    assert_eq!(
        refused("user.matches(claims.p)"),
        RuleError::OpenPattern("matches".into())
    );
    assert_eq!(
        refused(&format!("user == '{}'", "x".repeat(5000))),
        RuleError::TooLong(5010)
    );
}

#[test]
fn a_rule_that_could_cost_too_much_is_refused() {
    for rule in [
        "claims.a.all(x, claims.a.all(y, claims.a.all(z, x == y && y == z)))",
        "[['a'].map(x, claims.a + claims.a), claims.b].all(l, l.all(m, l.all(n, m == n)))",
    ] {
        assert_eq!(
            AccessRule::compile(rule).unwrap_err(),
            RuleError::TooManySteps,
            "{rule}"
        );
    }
    let mut doubled = "claims.a".to_owned();
    for _ in 0..12 {
        doubled = format!("[{doubled}].map(x, x + x)[0]");
    }
    let error = AccessRule::compile(&format!("{doubled} == 'a'")).unwrap_err();
    assert_eq!(error, RuleError::TooLarge);
    let error = AccessRule::compile("claims.a.replace('', claims.b) == ''").unwrap_err();
    assert_eq!(error, RuleError::TooLarge);
    for rule in [
        "claims.a.exists(x, claims.b.exists(y, x == y))",
        "claims.a.exists(x, x in claims.b)",
        "sets.intersects(claims.a, claims.b)",
        "claims.a.map(x, string(x)).join(',') == '1,2'",
        "claims.scope.split(' ').exists(s, s == 'chat:' + room.suffix)",
        "['a', 'b'].all(x, claims.roles.exists(r, r == x))",
        "claims.a.filter(x, x.startsWith('team-')).map(x, x.substring(5)).exists(x, x == room.suffix)",
    ] {
        assert!(
            AccessRule::compile(rule).is_ok(),
            "{rule}: {:?}",
            AccessRule::compile(rule).err()
        );
    }
}

#[test]
fn a_rule_is_not_evaluated_for_more_claims_than_it_can_be_in_time() {
    let rule = "claims.a.exists(x, claims.b.exists(y, x == y)) || true";
    let list = |n: usize| vec!["1"; n].join(",");
    let claims = |n: usize| {
        format!(
            "{{\"a\":[{}],\"b\":[{}],\"c\":[{}]}}",
            list(n),
            list(n),
            list(900)
        )
    };
    assert_eq!(check(rule, &claims(32)), Ok(()));
    assert!(fails(rule, &claims(900)).contains("1800 elements"));
    assert_eq!(
        check("claims.a.exists(x, x == 2) || true", &claims(900)),
        Ok(())
    );
}

#[test]
fn regular_expressions_are_compiled_once_and_within_bounds() {
    let claims = r#"{"list":["a7","b8"],"text":"é-7"}"#;
    for rule in [
        r"user.matches('^[a-z]+$') && matches(user, 'nn')",
        r"room.suffix.matches('^\\w{1,64}$')",
        r"claims.text.matches('^\\w-\\d$')",
        r"claims.list.all(x, x.matches('^[ab]\\d$'))",
        r"'a1b22'.find('[0-9]+') == '1' && 'abc'.find('[0-9]') == ''",
        r"'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1b22'.findAll('[0-9]+', 1) == ['1']",
        r"''.findAll('x*') == [''] && 'ab'.findAll('x*') == ['', '', '']",
    ] {
        assert_eq!(check(rule, claims), Ok(()), "{rule}");
    }
    let refused = |rule: &str| AccessRule::compile(rule).unwrap_err();
    let large = r"[1].all(x, user.matches('\\pL{200}'))";
    assert_eq!(
        refused(large),
        RuleError::PatternTooLarge(r"\pL{200}".into())
    );
    let many: Vec<_> = (1..9)
        .map(|n| format!(r"user.matches('\\w{{6{n}}}')"))
        .collect();
    assert!(matches!(
        refused(&many.join(" || ")),
        RuleError::PatternTooLarge(_)
    ));
    let same = [r"user.matches('\\w{60}')"; 9];
    assert!(AccessRule::compile(&same.join(" || ")).is_ok());
}

#[test]
fn matching_is_charged_for_the_text_and_the_size_of_the_expression() {
    let rule = r"claims.text.matches('^\\w{1,64}$') || true";
    let claims = |length| format!(r#"{{"text":"{}"}}"#, "a".repeat(length));
    assert_eq!(check(rule, &claims(500)), Ok(()));
    assert!(fails(rule, &claims(5_000)).contains("a million steps"));
    let literals = vec!["'some text that is not short at all'"; 60].join(", ");
    let often = format!(r"[{literals}].all(x, x.matches('\\w{{60}}') || true)");
    assert!(fails(&often, "{}").contains("a million steps"));
    assert_eq!(check("claims.text.matches('^a+$')", &claims(5_000)), Ok(()));
}

#[test]
fn loops_in_loops_count_their_turns() {
    let mut deep = "true".to_owned();
    for n in 0..7 {
        deep = format!("[1, 2].all(x{n}, {deep})");
    }
    assert_eq!(
        AccessRule::compile(&deep).unwrap_err(),
        RuleError::TooManyLoops
    );
    let pairs = "claims.a.exists(x, claims.a.exists(y, x + y == 60))";
    let list: Vec<_> = (0..60).map(|n| n.to_string()).collect();
    assert_eq!(
        check(pairs, &format!(r#"{{"a":[{}]}}"#, list.join(","))),
        Ok(())
    );
}
