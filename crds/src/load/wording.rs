use serde_json::Value;

/// A value in a message, cut when it is long.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Object(_) => "a map".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if text.chars().count() > 64 => {
            format!(
                "{:?}",
                text.chars().take(63).chain(['…']).collect::<String>()
            )
        }
        Value::String(text) => format!("{text:?}"),
    }
}

/// What a schema's type is called in a message.
pub(super) fn noun(wanted: &str) -> &'static str {
    match wanted {
        "object" => "a map",
        "array" => "a list",
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        _ => "a whole number or a text",
    }
}

/// What to do about a value of the wrong type, where that is plain.
pub(super) fn type_hint(wanted: &str, value: &Value) -> &'static str {
    match (wanted, value) {
        ("string", Value::Number(_) | Value::Bool(_)) => "; put it in quotes",
        ("integer" | "number", Value::String(text)) if text.parse::<f64>().is_ok() => {
            "; remove the quotes"
        }
        ("boolean", Value::String(_)) => "; write true or false without quotes",
        ("array", Value::String(_) | Value::Number(_)) => "; put it in brackets: [...]",
        _ => "",
    }
}
