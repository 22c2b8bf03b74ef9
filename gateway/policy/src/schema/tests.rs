//! Schemas, and what they let through.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn compile(schema: Value) -> Result<Schemas, SchemaProblem> {
    let Value::Object(schema) = schema else {
        panic!("no object")
    };
    Schemas::compile(&BTreeMap::from([("message".to_owned(), schema)]))
        .map_err(|mut problems| problems.remove(0).1)
}

fn validate(schema: Value, data: &str) -> Result<(), SchemaError> {
    let data = RawValue::from_string(data.to_owned()).unwrap();
    compile(schema).unwrap().validate("message", &data)
}

fn path(schema: Value, data: &str) -> String {
    match validate(schema, data) {
        Err(SchemaError::Data { path, .. }) => path,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_designs_example_asks_for_a_text() {
    let schema = || json!({"type": "object", "required": ["text"]});
    assert_eq!(validate(schema(), r#"{"text":"hi"}"#), Ok(()));
    assert_eq!(path(schema(), r#"{"txt":"hi"}"#), "");
    assert_eq!(path(schema(), "7"), "");
}

#[test]
fn an_error_says_where() {
    let schema =
        json!({"properties": {"a/b": {"items": {"properties": {"n": {"type": "integer"}}}}}});
    let error = validate(schema, r#"{"a/b":[{"n":1},{"n":"x"}]}"#).unwrap_err();
    assert_eq!(error.code().as_str(), "schema_violation");
    assert!(error.to_string().contains("/a~1b/1/n"), "{error}");
}

#[test]
fn without_schemas_everything_fits_and_with_some_only_what_is_listed() {
    let data = RawValue::from_string("7".to_owned()).unwrap();
    assert_eq!(Schemas::default().validate("any", &data), Ok(()));
    let error = compile(json!({}))
        .unwrap()
        .validate("other", &data)
        .unwrap_err();
    assert_eq!(error.code().as_str(), "event_unknown");
}

#[test]
fn formats_are_checked_and_unknown_ones_refused() {
    for (format, good, bad) in [
        ("email", "\"a@example.com\"", "\"a\""),
        (
            "uuid",
            "\"67e55044-10b1-426f-9247-bb680e5fe0c8\"",
            "\"67e5\"",
        ),
        ("date-time", "\"2026-11-23T15:00:00Z\"", "\"yesterday\""),
        ("ipv6", "\"::1\"", "\"1.2.3.4\""),
    ] {
        assert_eq!(validate(json!({"format": format}), good), Ok(()));
        assert_eq!(path(json!({"format": format}), bad), "");
    }
    assert!(compile(json!({"format": "colour"})).is_err());
}

#[test]
fn nothing_is_fetched_and_no_file_is_read() {
    for reference in [
        "https://example.com/schema.json",
        "http://127.0.0.1:1/x",
        "file:///etc/passwd",
        "other.json",
    ] {
        let problem = compile(json!({"$ref": reference})).unwrap_err();
        assert_eq!(problem, SchemaProblem::NotHere(reference.to_owned()));
    }
    let inside = json!({"$defs": {"a": {"$id": "https://a.b/c"}}});
    assert_eq!(
        compile(inside).unwrap_err(),
        SchemaProblem::NotHere("https://a.b/c".to_owned())
    );
    assert!(compile(json!({"$id": "https://a.b/c", "type": "string"})).is_ok());
    assert!(compile(json!({"properties": {"$id": {"type": "string"}}})).is_ok());
}

#[test]
fn a_schema_can_refer_to_its_own_parts_and_to_itself_further_down() {
    let tree = json!({"type": "object", "properties": {"children": {"items": {"$ref": "#"}}}});
    assert_eq!(
        validate(tree.clone(), r#"{"children":[{"children":[{}]}]}"#),
        Ok(())
    );
    assert_eq!(
        path(tree, r#"{"children":[{"children":[7]}]}"#),
        "/children/0/children/0"
    );
    let part = json!({"$ref": "#/$defs/a%20b", "$defs": {"a b": {"type": "string"}}});
    assert_eq!(validate(part, "\"x\""), Ok(()));
}

#[test]
fn a_reference_that_never_goes_into_the_data_is_refused() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"not": {"anyOf": [{"if": {"$ref": "#"}}]}}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"oneOf": [{"$ref": "#/$defs/a"}]}}}),
        json!({"properties": {"x": {"$ref": "#/properties/x"}}}),
        json!({"$anchor": "top", "$ref": "#top"}),
        json!({"$dynamicAnchor": "top", "$dynamicRef": "#top"}),
        json!({"$id": "https://a.b/c", "$ref": "#"}),
        json!({"dependencies": {"a": {"$ref": "#"}}}),
        json!({"dependentSchemas": {"a": {"$ref": "#"}}}),
        json!({"$ref": "#/%24defs/a", "$defs": {"a": {"$ref": "#"}}}),
    ] {
        let problem = compile(schema.clone()).unwrap_err();
        assert!(
            matches!(problem, SchemaProblem::Endless(_)),
            "{schema}: {problem}"
        );
    }
}

#[test]
fn references_that_multiply_are_refused() {
    let mut parts = Map::new();
    for n in 0..14 {
        let next = json!({"$ref": format!("#/$defs/p{}", n + 1)});
        parts.insert(format!("p{n}"), json!({"allOf": [next, next]}));
    }
    parts.insert("p14".to_owned(), json!({"type": "string"}));
    let problem = compile(json!({"$ref": "#/$defs/p0", "$defs": parts})).unwrap_err();
    assert_eq!(problem, SchemaProblem::TooManyRefs);
}

/// A schema in which `length` parts follow on one another, the last of which goes into the data.
fn chain(length: usize, name: impl Fn(usize) -> String) -> Value {
    let mut parts = Map::new();
    for n in 1..length {
        parts.insert(name(n), json!({"$ref": format!("#/$defs/{}", name(n + 1))}));
    }
    parts.insert(
        name(length),
        json!({"items": {"$ref": format!("#/$defs/{}", name(1))}}),
    );
    json!({"properties": {"x": {"$ref": format!("#/$defs/{}", name(1))}}, "$defs": parts})
}

#[test]
fn a_chain_of_references_is_bounded_in_whatever_order_it_is_found() {
    for name in [|n| format!("p{n:04}"), |n| format!("p{:04}", 5_000 - n)] {
        assert_eq!(
            compile(chain(40, name)).unwrap_err(),
            SchemaProblem::TooDeep
        );
        let deepest = format!("{{\"x\":{}{}}}", "[".repeat(125), "]".repeat(125));
        assert_eq!(validate(chain(31, name), &deepest), Ok(()));
    }
}

#[test]
fn a_schema_nested_without_end_is_refused() {
    let mut deep = json!({});
    for _ in 0..200 {
        deep = json!({"items": deep});
    }
    assert_eq!(compile(deep).unwrap_err(), SchemaProblem::TooDeep);
}

#[test]
fn what_is_no_schema_is_refused_with_its_place() {
    for (schema, place) in [
        (json!({"type": "strin"}), "/type"),
        (
            json!({"properties": {"a": {"minimum": "1"}}}),
            "/properties/a/minimum",
        ),
        (json!({"pattern": "("}), "/pattern"),
        (json!({"required": "text"}), "/required"),
    ] {
        match compile(schema).unwrap_err() {
            SchemaProblem::Invalid { path, .. } => assert_eq!(path, place),
            other => panic!("{other}"),
        }
    }
    let long = json!({"description": "x".repeat(70_000)});
    assert!(matches!(
        compile(long).unwrap_err(),
        SchemaProblem::TooLong(_)
    ));
}

#[test]
fn a_pattern_cannot_look_around_and_cannot_grow_without_end() {
    for pattern in ["(?=a)b", "(a)\\1", "((a{1000}){1000}){1000}"] {
        assert!(compile(json!({"pattern": pattern})).is_err(), "{pattern}");
    }
    let evil = json!({"pattern": "^(a+)+$"});
    assert_eq!(path(evil, &format!("\"{}b\"", "a".repeat(5_000))), "");
}

#[test]
fn data_nested_without_end_is_refused() {
    let tree = json!({"items": {"$ref": "#"}});
    let data = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    assert!(validate(tree, &data).is_err());
}

/// A rich text: every kind of node holds others, and what tells them apart comes last.
fn rich_text() -> Value {
    let node = |kind: &str| {
        json!({
            "type": "object",
            "properties": {
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "type": {"const": kind},
            },
            "required": ["type"],
        })
    };
    let kinds = ["paragraph", "list", "quote", "heading"].map(node);
    json!({"$ref": "#/$defs/node", "$defs": {"node": {"oneOf": kinds}}})
}

fn nested(depth: usize, innermost: &str) -> String {
    let open = r#"{"type":"list","children":["#.repeat(depth);
    format!("{open}{innermost}{}", "]}".repeat(depth))
}

#[test]
fn a_tree_of_alternatives_is_checked_in_steps_that_grow_with_the_data() {
    let schemas = compile(rich_text()).unwrap();
    let check = |text: String| schemas.validate("message", &RawValue::from_string(text).unwrap());
    assert_eq!(check(nested(60, r#"{"type":"quote"}"#)), Ok(()));
    let wrong = check(nested(2, r#"{"type":"table"}"#)).unwrap_err();
    assert_eq!(wrong.code().as_str(), "schema_violation");
    let deep = check(nested(40, r#"{"type":"table"}"#)).unwrap_err();
    assert_eq!(deep.code().as_str(), "schema_violation");
}

/// Parts that each hold the next one twice, not by a reference that comes back.
fn doubling(length: usize, last: &Value) -> Value {
    let mut parts = Map::new();
    for n in 0..length {
        let next = json!({"properties": {"a": {"$ref": format!("#/$defs/p{}", n + 1)}}});
        parts.insert(
            format!("p{n}"),
            json!({"anyOf": [next, next, {"type": "string"}]}),
        );
    }
    parts.insert(format!("p{length}"), last.clone());
    json!({"$ref": "#/$defs/p0", "$defs": parts})
}

#[test]
fn a_check_that_takes_too_many_steps_is_ended_and_answered_so() {
    let text = format!("{}7{}", r#"{"a":"#.repeat(60), "}".repeat(60));
    let error = validate(doubling(60, &json!({"type": "string"})), &text).unwrap_err();
    assert_eq!(error, SchemaError::TooCostly);
    assert_eq!(error.code().as_str(), "schema_too_costly");
    let values: Vec<_> = (0..3_000).map(|n| json!([n])).collect();
    let list = format!("[{}]", vec!["[-1]"; 3_000].join(","));
    let members = json!({"items": {"not": {"enum": values}}});
    assert_eq!(validate(members, &list), Err(SchemaError::TooCostly));
}

#[test]
fn a_large_expression_makes_a_long_text_cost_more() {
    let schema = || json!({"pattern": "^[ab]*a[ab]{2000}$"});
    let text = |length| format!("\"{}\"", "ab".repeat(length));
    assert_eq!(path(schema(), &text(100)), "");
    assert_eq!(
        validate(schema(), &text(10_000)),
        Err(SchemaError::TooCostly)
    );
    let plain = || json!({"pattern": "^[a-z]+$", "maxLength": 60_000, "format": "hostname"});
    assert_eq!(
        validate(json!({"pattern": "^[a-z]+$"}), &text(10_000)),
        Ok(())
    );
    assert_eq!(path(plain(), &text(10_000)), "");
}

#[test]
fn names_of_properties_are_counted_too() {
    let patterns: Map<_, _> = (0..500)
        .map(|n| (format!("^[a-z]{{2}}{n}$"), json!({})))
        .collect();
    let members: Vec<_> = (0..2_000).map(|n| format!("\"key{n}\":1")).collect();
    let data = format!("{{{}}}", members.join(","));
    let schema = json!({"patternProperties": patterns});
    assert_eq!(validate(schema, &data), Err(SchemaError::TooCostly));
    assert_eq!(
        validate(json!({"propertyNames": {"pattern": "^key"}}), &data),
        Ok(())
    );
}

#[test]
fn large_data_of_an_ordinary_schema_is_within_the_steps() {
    let schema = json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["id", "text"],
            "additionalProperties": false,
            "properties": {"id": {"type": "integer", "minimum": 0}, "text": {"type": "string", "maxLength": 100}},
        },
    });
    let items: Vec<_> = (0..20_000)
        .map(|n| format!("{{\"id\":{n},\"text\":\"hi\"}}"))
        .collect();
    assert_eq!(validate(schema, &format!("[{}]", items.join(","))), Ok(()));
    let numbers = json!({"items": {"type": "integer"}});
    assert_eq!(
        validate(numbers, &format!("[{}]", vec!["1"; 200_000].join(","))),
        Ok(())
    );
}

#[test]
fn an_error_about_large_data_stays_small() {
    let data = format!("\"{}\"", "x".repeat(100_000));
    assert!(
        validate(json!({"type": "integer"}), &data)
            .unwrap_err()
            .to_string()
            .len()
            < 2_000
    );
}

proptest! {
    #[test]
    fn no_schema_makes_the_compiler_or_the_check_panic(
        keyword in prop::sample::select(&["$ref", "$id", "$schema", "$anchor", "$dynamicRef", "$vocabulary", "allOf",
            "items", "prefixItems", "properties", "patternProperties", "pattern", "format", "type", "minimum",
            "multipleOf", "uniqueItems", "enum", "const", "contains", "if", "unevaluatedProperties", "maxLength"]),
        value in prop_oneof![
            Just(json!("#")), Just(json!("#/$defs/x")), Just(json!("")), Just(json!("%")), Just(json!(0)), Just(json!(1e308)),
            Just(json!(-1)), Just(json!([])), Just(json!({})), Just(json!([{}])), Just(json!({"(": {}})), Just(json!(null)),
            Just(json!(["string", "null"])), Just(json!({"a": {"$ref": "#"}})), Just(json!([{"$ref": "#"}])), Just(json!(true)),
        ],
        data in prop::sample::select(&["7", "1e400", "\"a\"", "[1,1.0,[]]", "{\"a\":{\"a\":1}}", "null", "[[[]]]", "-0.0"]),
    ) {
        let mut schema = Map::new();
        schema.insert(keyword.to_owned(), value);
        if let Ok(schemas) = compile(Value::Object(schema)) {
            let data = RawValue::from_string(data.to_owned());
            let _ = data.map(|data| schemas.validate("message", &data));
        }
    }
}
