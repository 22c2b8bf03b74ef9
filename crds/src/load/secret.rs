use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::ByteString;
use serde_json::{Map, Value};

use super::problem::ProblemCode;
use super::schema::{Finding, join};
use super::suggest;

/// The fields of a `Secret` beside those that every document has.
const FIELDS: [&str; 7] = [
    "apiVersion",
    "kind",
    "metadata",
    "type",
    "immutable",
    "data",
    "stringData",
];

/// A Kubernetes `Secret`: named bytes. Its `Debug` shows the names and never the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The Secret's name.
    pub name: String,
    values: BTreeMap<String, Vec<u8>>,
}

impl Secret {
    /// A Secret with the given bytes by key.
    pub fn new(name: impl Into<String>, values: BTreeMap<String, Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            values,
        }
    }

    /// The bytes of a key.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.values.get(key).map(Vec::as_slice)
    }

    /// The keys, in alphabetical order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.keys().collect();
        f.debug_struct("Secret")
            .field("name", &self.name)
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}

/// Reads a `Secret` document. A key in `stringData` overrides the same key in `data`, as on an API
/// server. No message has anything of a value in it.
pub(super) fn read(name: &str, document: &Map<String, Value>) -> Result<Secret, Vec<Finding>> {
    let mut findings: Vec<Finding> = document
        .keys()
        .filter(|key| !FIELDS.contains(&key.as_str()))
        .map(|key| {
            let message = format!("there is no such field; {}", suggest::hint(key, &FIELDS));
            finding(key, ProblemCode::UnknownField, message)
        })
        .collect();
    let mut values = BTreeMap::new();
    for (field, decode) in [("data", from_base64 as Decode), ("stringData", from_text)] {
        match document.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::Object(entries)) => {
                for (key, value) in entries {
                    match decode(value) {
                        Ok(bytes) => drop(values.insert(key.clone(), bytes)),
                        Err(message) => findings.push(finding(
                            &join(field, key),
                            ProblemCode::InvalidValue,
                            message.to_owned(),
                        )),
                    }
                }
            }
            Some(_) => {
                let message = "this is not a map of keys to values".to_owned();
                findings.push(finding(field, ProblemCode::WrongType, message));
            }
        }
    }
    if findings.is_empty() {
        Ok(Secret::new(name, values))
    } else {
        Err(findings)
    }
}

type Decode = fn(&Value) -> Result<Vec<u8>, &'static str>;

fn from_base64(value: &Value) -> Result<Vec<u8>, &'static str> {
    serde_json::from_value::<ByteString>(value.clone())
        .map(|bytes| bytes.0)
        .map_err(|_| "this is not base64; encode the value, or move it to stringData as it is")
}

fn from_text(value: &Value) -> Result<Vec<u8>, &'static str> {
    let text = value
        .as_str()
        .ok_or("this is not a text; put it in quotes")?;
    Ok(text.as_bytes().to_vec())
}

fn finding(path: &str, code: ProblemCode, message: String) -> Finding {
    Finding {
        path: path.to_owned(),
        code,
        message,
    }
}
