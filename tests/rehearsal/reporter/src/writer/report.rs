//! The `.ips` form: field names, types and order as macOS writes them; what has no meaning on Linux is left out.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde::ser::Error as _;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use serde_json::{Map, Value};

use crate::exception::{Exception, Termination};

/// The first line.
#[derive(Serialize)]
pub struct Header<'a> {
    pub app_name: &'a str,
    pub timestamp: String,
    pub app_version: &'a str,
    pub slice_uuid: String,
    pub build_version: &'a str,
    pub platform: u32,
    pub share_with_app_devs: u32,
    pub is_first_party: u32,
    pub bug_type: &'a str,
    pub os_version: String,
    pub roots_installed: u32,
    pub incident_id: &'a str,
    pub name: &'a str,
}

/// Everything after the first line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Body<'a> {
    pub uptime: u64,
    pub proc_role: &'a str,
    pub version: u32,
    #[serde(rename = "userID", skip_serializing_if = "Option::is_none")]
    pub user_id: Option<u32>,
    pub deploy_version: u32,
    pub model_code: String,
    pub os_version: OsVersion,
    pub capture_time: String,
    pub incident: &'a str,
    pub pid: i32,
    pub cpu_type: &'a str,
    #[serde(rename = "roots_installed")]
    pub roots_installed: u32,
    #[serde(rename = "bug_type")]
    pub bug_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proc_launch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proc_start_abs_time: Option<u64>,
    pub proc_exit_abs_time: u64,
    pub proc_name: &'a str,
    pub proc_path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_proc: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_pid: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsible_pid: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsible_proc: Option<&'a str>,
    pub exception: Exception,
    pub termination: Termination,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub asi: BTreeMap<String, Vec<String>>,
    pub faulting_thread: usize,
    pub threads: Vec<Thread>,
    pub used_images: Vec<Image>,
    pub shared_cache: SharedCache,
    pub legacy_info: Value,
    pub trial_info: Value,
    /// Not in Apple's form: who wrote this.
    pub reporter: &'a str,
    /// What is missing, and why.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub notes: &'a [String],
}

/// `osVersion`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OsVersion {
    pub train: String,
    pub build: String,
    pub release_type: &'static str,
}

/// One of `threads`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub triggered: bool,
    pub id: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "threadState")]
    pub state: Option<Map<String, Value>>,
    pub frames: Vec<Frame>,
}

/// One of `frames`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    pub image_offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol_location: Option<u64>,
    pub image_index: usize,
}

/// One of `usedImages`: `P` for a file, `A` for addresses in none.
#[derive(Serialize)]
pub struct Image {
    pub source: char,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<&'static str>,
    pub base: u64,
    pub size: u64,
    pub uuid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The body of a GPU event (kind 284): it names a process and no process id.
#[derive(Serialize)]
pub struct GpuEventBody<'a> {
    pub bug_type: &'a str,
    pub timestamp: String,
    pub os_version: String,
    pub process_name: String,
    pub analysis: GpuAnalysis<'a>,
    /// Not in Apple's form: who wrote this.
    pub reporter: &'a str,
}

/// `analysis` of a GPU event.
#[derive(Serialize)]
pub struct GpuAnalysis<'a> {
    pub signature: i64,
    pub restart_reason_desc: &'a str,
}

/// `sharedCache`: Linux has none.
#[derive(Serialize)]
pub struct SharedCache {
    pub base: u64,
    pub size: u64,
    pub uuid: &'static str,
}

/// The file's text: header line and body.
pub fn to_text(header: &Header, body: &impl Serialize) -> serde_json::Result<String> {
    let mut text = serde_json::to_string(header)?;
    text.push('\n');
    let mut bytes = Vec::new();
    body.serialize(&mut Serializer::with_formatter(
        &mut bytes,
        AppleFormatter { depth: 0 },
    ))?;
    text.push_str(&String::from_utf8(bytes).map_err(serde_json::Error::custom)?);
    text.push('\n');
    Ok(text)
}

/// Apple's layout: a key a line in the outer object, everything inside on one line, slashes escaped.
struct AppleFormatter {
    depth: usize,
}

impl Formatter for AppleFormatter {
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(if self.depth == 0 { b"\n}" } else { b"}" })
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        if self.depth == 1 {
            writer.write_all(b"\n  ")
        } else {
            Ok(())
        }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(if self.depth == 1 { b" : " } else { b":" })
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        CompactFormatter.write_string_fragment(writer, &fragment.replace('/', "\\/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text_of(value: &impl Serialize) -> String {
        let mut bytes = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut bytes, AppleFormatter { depth: 0 });
        value.serialize(&mut serializer).expect("serializing");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn outer_keys_have_their_lines() {
        let value = serde_json::json!({ "a": { "b": [1, { "c": 2 }] }, "d": "/x" });
        assert_eq!(
            text_of(&value),
            "{\n  \"a\" : {\"b\":[1,{\"c\":2}]},\n  \"d\" : \"\\/x\"\n}"
        );
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in ".*") {
            let value = serde_json::json!({ "a": text });
            prop_assert_eq!(serde_json::from_str::<Value>(&text_of(&value)).expect("JSON"), value);
        }
    }
}
