//! What must be equal for a series to go on: the plan in the state file, and in what another one differs.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use serde_json::{Map, Value, json};

use super::Arm;

/// Beginnings of the names of variables that change what a run does: ours, the loaders', and those of Metal and the programs that
/// are run on it.
const MATTERS: [&str; 10] = [
    "AGX", "DYLD_", "LD_", "LIBOBJC_", "METAL_", "MLX_", "MTL_", "Malloc", "OBJC_", "PYTORCH_",
];

/// What must be equal of every series: the arms, the working folder, the versions, and the environment as far as it matters.
/// `library` is the library that is injected, as [`fingerprint`] tells it.
pub fn surroundings(
    arms: &[Arm],
    directory: &OsStr,
    library: Option<&str>,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Map<String, Value> {
    let environment: BTreeMap<String, Value> = environment
        .filter(|(name, _)| {
            let name = name.as_bytes();
            MATTERS.iter().any(|it| name.starts_with(it.as_bytes()))
        })
        .map(|(name, value)| (name.to_string_lossy().into_owned(), words(&[value])))
        .collect();
    let arms: Vec<Value> = arms
        .iter()
        .map(|arm| {
            json!({ "name": arm.name, "options": words(&arm.options), "command": words(&arm.command) })
        })
        .collect();
    let mut plan = Map::new();
    plan.insert("arms".to_owned(), arms.into());
    plan.insert("directory".to_owned(), word(directory));
    plan.insert("agxrun".to_owned(), env!("CARGO_PKG_VERSION").into());
    plan.insert("library".to_owned(), library.into());
    plan.insert("environment".to_owned(), json!(environment));
    plan
}

/// What tells one build of a library from another: the SHA-256 of its file, in hexadecimal.
pub fn fingerprint(library: &std::path::Path) -> std::io::Result<String> {
    use sha2::{Digest, Sha256};
    use std::fmt::Write;
    let digest = Sha256::digest(std::fs::read(library)?);
    let mut text = String::with_capacity(64);
    for byte in digest {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// Words of a command line as JSON: text, or `{"bytes": [...]}` where one is not UTF-8.
pub fn words(words: &[OsString]) -> Value {
    words.iter().map(|it| word(it)).collect()
}

fn word(word: &OsStr) -> Value {
    match word.to_str() {
        Some(text) => text.into(),
        None => json!({ "bytes": word.as_bytes() }),
    }
}

/// The words that [`words`] has written.
pub fn read_words(value: &Value) -> Option<Vec<OsString>> {
    value.as_array()?.iter().map(read_word).collect()
}

fn read_word(value: &Value) -> Option<OsString> {
    if let Some(text) = value.as_str() {
        return Some(text.into());
    }
    let bytes: Option<Vec<u8>> = value.get("bytes")?.as_array()?.iter().map(byte).collect();
    bytes.map(OsString::from_vec)
}

fn byte(value: &Value) -> Option<u8> {
    value.as_u64().and_then(|it| u8::try_from(it).ok())
}

/// In what two plans differ, a sentence each, in the order of their names.
pub fn differences(was: &Value, is: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect("", was, is, &mut found);
    found
}

fn collect(at: &str, was: &Value, is: &Value, found: &mut Vec<String>) {
    match (was, is) {
        (Value::Object(old), Value::Object(new)) => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let below = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}.{name}")
                };
                let of = |object: &Map<String, Value>| object.get(name).cloned();
                collect(
                    &below,
                    &of(old).unwrap_or_default(),
                    &of(new).unwrap_or_default(),
                    found,
                );
            }
        }
        // Lists of arms are told one by one, those of words as a whole.
        (Value::Array(old), Value::Array(new))
            if old.len() == new.len() && old.iter().chain(new).all(is_record) =>
        {
            for (number, (was, is)) in old.iter().zip(new).enumerate() {
                collect(&format!("{at}.{}", number + 1), was, is, found);
            }
        }
        _ if was == is => {}
        _ => found.push(format!("`{at}` was {was} and is {is}")),
    }
}

fn is_record(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|it| !it.contains_key("bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn arm(options: &[&str], command: &[&str]) -> Arm {
        let owned = |words: &[&str]| words.iter().map(Into::into).collect();
        Arm {
            name: "v3".to_owned(),
            options: owned(options),
            command: owned(command),
        }
    }

    fn plan(arm: Arm, environment: &[(&str, &str)]) -> Value {
        let environment = environment
            .iter()
            .map(|&(name, value)| (name.into(), value.into()));
        Value::Object(surroundings(
            &[arm],
            OsStr::new("/tests"),
            None,
            environment,
        ))
    }

    #[test]
    fn equal_plans_do_not_differ_and_others_say_where() {
        let was = plan(arm(&["--no-fix"], &["python3", "a.py"]), &[("LANG", "C")]);
        let same = plan(arm(&["--no-fix"], &["python3", "a.py"]), &[("LANG", "de")]);
        assert_eq!(differences(&was, &same), [""; 0]);
        let other = plan(
            arm(&["--no-fix"], &["python3", "b.py"]),
            &[("PYTORCH_DEBUG", "1")],
        );
        assert_eq!(
            differences(&was, &other),
            [
                r#"`arms.1.command` was ["python3","a.py"] and is ["python3","b.py"]"#,
                r#"`environment.PYTORCH_DEBUG` was null and is ["1"]"#,
            ]
        );
    }

    #[test]
    fn more_arms_are_told_as_a_whole() {
        let was = json!({ "arms": [{"name": "a"}] });
        let is = json!({ "arms": [{"name": "a"}, {"name": "b"}] });
        let told = differences(&was, &is);
        assert_eq!(
            told,
            [r#"`arms` was [{"name":"a"}] and is [{"name":"a"},{"name":"b"}]"#]
        );
    }

    proptest! {
        #[test]
        fn words_come_back_whatever_bytes_they_are(list in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..6), 0..5)) {
            let list: Vec<OsString> = list.into_iter().map(OsString::from_vec).collect();
            prop_assert_eq!(read_words(&words(&list)), Some(list));
        }
    }

    #[test]
    fn what_are_no_words_is_refused() {
        for value in [
            json!({}),
            json!([1]),
            json!([{"bytes": [256]}]),
            json!([{"bytes": "a"}]),
        ] {
            assert_eq!(read_words(&value), None, "{value}");
        }
    }
}
