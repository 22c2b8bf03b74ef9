use serde_json::json;

use super::*;

fn messages(schema: &Value, value: &Value) -> Vec<String> {
    check(schema, value, "spec")
        .iter()
        .map(|it| format!("{}: {}", it.path, it.message))
        .collect()
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_what_is_wanted() {
    let schema = json!({"type": "object", "properties": {
        "port": {"type": "integer"}, "text": {"type": "string"}, "flag": {"type": "boolean"},
        "list": {"type": "array"}, "map": {"type": "object"}, "surge": {"x-kubernetes-int-or-string": true},
    }});
    let value = json!({
        "port": "80", "text": true, "flag": "yes", "list": "one", "map": [], "surge": 1.5,
    });
    assert_eq!(
        messages(&schema, &value),
        [
            "spec.flag: \"yes\" is not true or false; write true or false without quotes",
            "spec.list: \"one\" is not a list; put it in brackets: [...]",
            "spec.map: a list is not a map",
            "spec.port: \"80\" is not a whole number; remove the quotes",
            "spec.surge: 1.5 is not a whole number or a text",
            "spec.text: true is not a text; put it in quotes",
        ]
    );
}

#[test]
fn an_unknown_field_is_named_with_the_one_that_was_meant() {
    let schema = json!({"type": "object", "properties": {"payloadBytes": {"type": "integer"}}});
    assert_eq!(
        messages(&schema, &json!({"payloadSize": 1, "zzz": 2})),
        [
            "spec.payloadSize: there is no such field; did you mean payloadBytes?",
            "spec.zzz: there is no such field; choose from payloadBytes",
        ]
    );
}

#[test]
fn fields_of_a_map_and_preserved_fields_are_free() {
    let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
    assert!(messages(&map, &json!({"anything": "goes"})).is_empty());
    assert_eq!(
        messages(&map, &json!({"a.b/c": 1})),
        ["spec[a.b/c]: 1 is not a text; put it in quotes"]
    );
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    assert!(messages(&free, &json!({"anything": {"goes": null}})).is_empty());
}

#[test]
fn bounds_hold_for_numbers_texts_lists_and_maps() {
    let schema = json!({"type": "object", "maxProperties": 4, "properties": {
        "low": {"type": "integer", "minimum": 1}, "high": {"type": "integer", "maximum": 9},
        "text": {"type": "string", "minLength": 1}, "list": {"type": "array", "maxItems": 1},
        "exact": {"type": "integer", "minimum": 1, "maximum": 1},
    }});
    let value = json!({"low": 0, "high": 10, "text": "", "list": [1, 2], "exact": 1});
    assert_eq!(
        messages(&schema, &value),
        [
            "spec: this has 5 entries; the most is 4",
            "spec.high: 10 is too large; write 9 or less",
            "spec.list: this has 2 entries; the most is 1",
            "spec.low: 0 is too small; write 1 or more",
            "spec.text: this is empty; write something, or remove the field",
        ]
    );
}

#[test]
fn the_length_of_a_text_is_counted_in_characters() {
    let schema = json!({"type": "string", "maxLength": 2});
    assert!(messages(&schema, &json!("äö")).is_empty());
    assert_eq!(
        messages(&schema, &json!("äöü")),
        ["spec: this has 3 characters; the most is 2"]
    );
}

#[test]
fn an_entry_that_a_set_has_twice_is_named_once() {
    let schema =
        json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"});
    assert_eq!(
        messages(&schema, &json!(["a", "b", "a"])),
        ["spec[2]: \"a\" is listed twice; remove one"]
    );
}

#[test]
fn an_entry_whose_key_a_list_has_twice_is_named_by_it() {
    let schema = json!({"type": "array", "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"], "items": {"type": "object", "properties": {
            "name": {"type": "string"}, "more": {"type": "integer"}}}});
    assert_eq!(
        messages(
            &schema,
            &json!([{"name": "a", "more": 1}, {"name": "b"}, {"name": "a", "more": 2}])
        ),
        ["spec[2]: \"a\" is listed twice; remove one"]
    );
}

#[test]
fn a_null_counts_as_absent_where_there_is_a_schema_and_stays_elsewhere() {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string"},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "list": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "string"}}}},
    }});
    let mut value = json!({"a": null, "free": {"const": null}, "list": [{"b": null}]});
    drop_nulls(&schema, &mut value);
    assert_eq!(value, json!({"free": {"const": null}, "list": [{}]}));
}

#[test]
fn a_long_text_is_cut_in_the_message() {
    let message = &messages(&json!({"type": "integer"}), &json!("x".repeat(10_000)))[0];
    assert!(message.len() < 200, "{message}");
}
