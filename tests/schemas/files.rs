//! Of the files themselves: each is used, each command has one, and equal names mean equal things.

use std::collections::{BTreeMap, BTreeSet};

use agxrun::cli::Cli;
use clap::{Command, CommandFactory};
use serde_json::Value;

use super::SCHEMAS;
use super::common::in_repository;
use super::schema::read;

/// Names of the files in `schemas/`.
fn files() -> BTreeSet<String> {
    let folder = std::fs::read_dir(in_repository("schemas")).expect("the schemas");
    let names = folder.map(|entry| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("text")
    });
    names.filter(|name| name != "README.md").collect()
}

/// Each value in a schema that is an object, with what leads to it.
fn each<'a>(schema: &'a Value, place: &str, told: &mut dyn FnMut(&str, &'a Value)) {
    match schema {
        Value::Object(fields) => {
            told(place, schema);
            for (name, value) in fields {
                each(value, &format!("{place}/{name}"), told);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each(item, place, told)),
        _ => {}
    }
}

/// The commands that have `--json`, as words.
fn with_json(command: &Command, before: &[&str], found: &mut BTreeSet<String>) {
    for command in command.get_subcommands() {
        let words = [before, &[command.get_name()]].concat();
        let mut options = command.get_arguments();
        if options.any(|option| option.get_long() == Some("json")) {
            found.insert(words.join(" "));
        }
        with_json(command, &words, found);
    }
}

#[test]
fn every_command_with_json_has_a_schema() {
    let mut found = BTreeSet::new();
    let mut command = Cli::command();
    command.build();
    with_json(&command, &[], &mut found);
    let described = SCHEMAS.iter().flat_map(|(_, commands)| *commands);
    let described: BTreeSet<String> = described.map(|words| (*words).to_owned()).collect();
    assert!(found.len() > 10, "{found:?}");
    assert_eq!(found, described);
}

#[test]
fn every_file_is_used_and_listed() {
    let used: BTreeSet<String> = SCHEMAS.iter().map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(files(), used);
    let readme = std::fs::read_to_string(in_repository("schemas/README.md")).expect("the list");
    let rows = readme.lines().filter_map(|line| {
        let name = line.strip_prefix("| `")?.split_once('`')?.0;
        Some(name.to_owned())
    });
    assert_eq!(rows.collect::<BTreeSet<_>>(), used);
}

#[test]
fn every_file_is_a_schema_of_2020_12_that_says_what_it_is() {
    for file in files() {
        let schema = read(&file);
        jsonschema::draft202012::meta::validate(&schema)
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(
            schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{file}"
        );
        let version = schema["properties"]["schema"]["const"]
            .as_u64()
            .unwrap_or(1);
        let name = file.trim_end_matches(".json");
        assert_eq!(schema["$id"], format!("urn:agxrun:schema:{name}:{version}"));
        for key in ["title", "description"] {
            assert!(schema[key].is_string(), "{file}: {key}");
        }
    }
}

#[test]
fn every_field_is_described_and_no_object_is_open() {
    let mut wrong = Vec::new();
    for file in files() {
        let schema = read(&file);
        each(&schema, "", &mut |place, value| {
            let described = |value: &Value| value == false || value["description"].is_string();
            for (name, field) in value["properties"].as_object().into_iter().flatten() {
                // A value that tells one form of a thing from its others is described with the form.
                let is_fixed = field.get("const").is_some();
                if field.is_object() && !described(field) && !is_fixed {
                    wrong.push(format!("{file}{place}: `{name}` is not described"));
                }
            }
            let is_object = value["type"] == "object";
            let closed = ["additionalProperties", "unevaluatedProperties"];
            let is_part = place.ends_with("_fields");
            if is_object && !is_part && !closed.iter().any(|key| value.get(*key).is_some()) {
                wrong.push(format!("{file}{place}: any field may be there"));
            }
        });
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            if !definition["description"].is_string() {
                wrong.push(format!("{file}: `{name}` is not described"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_has_one_name_in_several_files_is_the_same_there() {
    let mut known: BTreeMap<String, (String, Value)> = BTreeMap::new();
    for file in files() {
        let schema = read(&file);
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            let (first, before) = known
                .entry(name.clone())
                .or_insert_with(|| (file.clone(), definition.clone()));
            assert_eq!(before, definition, "`{name}` in {first} and {file}");
        }
    }
}

#[test]
fn every_definition_is_used() {
    for file in files() {
        let schema = read(&file);
        let text = schema.to_string();
        for name in schema["$defs"].as_object().into_iter().flatten() {
            let reference = format!("\"#/$defs/{}\"", name.0);
            assert!(text.contains(&reference), "{file}: {}", name.0);
        }
    }
}
