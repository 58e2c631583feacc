//! A schema against what was printed.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::common::in_repository;

/// What a command printed, in one situation.
pub struct Printed {
    what: String,
    json: Value,
}

impl Printed {
    pub fn new(what: &str, json: Value) -> Self {
        Self {
            what: what.to_owned(),
            json,
        }
    }
}

/// A schema as its file has it.
pub fn read(file: &str) -> Value {
    let path = in_repository("schemas").join(file);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn validator(file: &str) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(&read(file))
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// All of it is valid, and no object in it would be with a field that is not described.
#[track_caller]
pub fn assert_describes(file: &str, outputs: &[Printed]) {
    let validator = validator(file);
    assert!(!outputs.is_empty());
    let mut seen = BTreeSet::new();
    for Printed { what, json } in outputs {
        let wrong: Vec<String> = validator
            .iter_errors(json)
            .map(|error| format!("{}: {error:.300}", error.instance_path))
            .collect();
        assert!(wrong.is_empty(), "{file}, {what}: {wrong:#?}");
        for place in objects(json) {
            // One object of each kind suffices.
            if !seen.insert(without_numbers(&place)) {
                continue;
            }
            let mut more = json.clone();
            let object = more.pointer_mut(&place).and_then(Value::as_object_mut);
            let object = object.expect("an object");
            object.insert("not described".to_owned(), json!([[]]));
            assert!(
                !validator.is_valid(&more),
                "{file}, {what}: `{place}` may have any field"
            );
        }
    }
}

/// JSON pointers to every object in a value.
fn objects(value: &Value) -> Vec<String> {
    fn walk(value: &Value, place: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.push(place.to_owned());
                for (name, value) in fields {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    walk(value, &format!("{place}/{name}"), found);
                }
            }
            Value::Array(items) => {
                for (at, value) in items.iter().enumerate() {
                    walk(value, &format!("{place}/{at}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

/// The same place in any item of its lists.
fn without_numbers(place: &str) -> String {
    let parts = place.split('/').map(|part| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { "*" } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}
