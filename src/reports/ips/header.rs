//! The header line.

use serde::de::MapAccess;

use super::object::{self, Field, Fields};
use crate::reports::model::Header;
use crate::reports::problem::Problem;
use crate::reports::time;

/// The header line as written.
#[derive(Default)]
pub(super) struct Wire {
    app_name: Option<String>,
    name: Option<String>,
    timestamp: Option<String>,
    bug_type: Option<String>,
    os_version: Option<String>,
    incident: Option<String>,
}

impl Fields for Wire {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        let Some(slot) = self.slot(field.key) else {
            return field.skip();
        };
        *slot = field.text()?;
        Ok(())
    }
}

const KEYS: [&str; 6] = [
    "app_name",
    "name",
    "timestamp",
    "bug_type",
    "os_version",
    "incident_id",
];

impl Wire {
    fn slot(&mut self, key: &str) -> Option<&mut Option<String>> {
        match key {
            "app_name" => Some(&mut self.app_name),
            "name" => Some(&mut self.name),
            "timestamp" => Some(&mut self.timestamp),
            "bug_type" => Some(&mut self.bug_type),
            "os_version" => Some(&mut self.os_version),
            "incident_id" => Some(&mut self.incident),
            _ => None,
        }
    }

    pub(super) fn into_header(self, problems: &mut Vec<Problem>) -> Header {
        let timestamp = self.timestamp.as_deref().and_then(|written| {
            let read = time::parse(written);
            if read.is_none() {
                object::note(problems, "timestamp", "a date", "another text");
            }
            read
        });
        Header {
            app_name: self.app_name.or(self.name),
            timestamp,
            bug_type: self.bug_type,
            os_version: self.os_version,
            incident: self.incident,
        }
    }
}

/// Whether the start of a JSON object is that of a body: bodies have keys that headers never have,
/// among their first.
pub(super) fn is_body(start: &str) -> bool {
    [
        "\"procName\"",
        "\"procPath\"",
        "\"captureTime\"",
        "\"pid\"",
        "\"processByPid\"",
    ]
    .iter()
    .any(|key| start.contains(key))
}

/// Whether a line holds a key that headers have and bodies never do.
pub(super) fn is_header(line: &str) -> bool {
    ["\"app_name\"", "\"incident_id\"", "\"os_version\""]
        .iter()
        .any(|key| line.contains(key))
}

/// Picks known keys out of a line that is not one JSON object: cut off at either end, or spliced.
pub(super) fn salvage(line: &str, problems: &mut Vec<Problem>) -> Header {
    let mut read = Wire::default();
    for key in KEYS {
        if let (Some(value), Some(slot)) = (salvage_text(line, key), read.slot(key)) {
            *slot = Some(value);
        }
    }
    read.into_header(problems)
}

/// How far a value may go, in bytes.
const VALUE_LIMIT: usize = 16 * 1024;

/// The last place up to `limit` at which a character begins.
fn floor(text: &str, limit: usize) -> usize {
    (0..=limit.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// The text behind `"key":`, where it is whole.
fn salvage_text(line: &str, key: &str) -> Option<String> {
    let quoted = format!("\"{key}\"");
    let (_, rest) = line.split_once(&quoted)?;
    let value = rest.trim_start().strip_prefix(':')?;
    // The value behind a key is short; a hostile one is not worth its room.
    let value = value.get(..floor(value, VALUE_LIMIT))?;
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<serde_json::Value>();
    // A value that is cut off is not used: half an incident id is another one.
    match values.next()?.ok()? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_values_are_picked_out_of_a_damaged_line() {
        let mut problems = Vec::new();
        let line =
            r#"first_party":0,"bug_type":"309","os_version":"macOS 15.3","incident_id":"1C68"#;
        let header = salvage(line, &mut problems);
        assert_eq!(header.bug_type.as_deref(), Some("309"));
        assert_eq!(header.os_version.as_deref(), Some("macOS 15.3"));
        assert_eq!(header.incident, None, "half an id is none");
    }
}
