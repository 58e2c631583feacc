//! Whether the system sees a GPU with Metal.

use serde_json::Value;

use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;

const REMEDY: &str = "`system_profiler SPDisplaysDataType` says what the system sees; without a GPU a target uses the CPU, \
    and its run says nothing about the driver";

pub(super) fn check(host: &dyn Host, _: &Subject) -> Vec<Observation> {
    let answer = host.ask(
        "/usr/sbin/system_profiler",
        &["-json", "SPDisplaysDataType"],
    );
    let unknown = |reason: &str| {
        vec![Observation::warning(
            format!("`system_profiler` {reason}: the GPU is not known"),
            REMEDY,
        )]
    };
    let said = match answer.output() {
        Ok(said) => said,
        Err(reason) => return unknown(&reason),
    };
    let Ok(value) = serde_json::from_str::<Value>(said) else {
        return unknown("answered something else than JSON");
    };
    let Some(displays) = value["SPDisplaysDataType"].as_array() else {
        return unknown("named no displays");
    };
    if displays.is_empty() {
        return vec![Observation::warning("no GPU is seen", REMEDY)];
    }
    displays.iter().map(gpu).collect()
}

/// Metal's version stands in `spdisplays_mtlgpufamilysupport` (macOS 12 and later: `spdisplays_metal3`), before that in
/// `spdisplays_metal` or `spdisplays_metalfamily`.
fn gpu(gpu: &Value) -> Observation {
    let text = |key: &str| gpu[key].as_str().filter(|value| !value.is_empty());
    let model = text("sppci_model")
        .or(text("_name"))
        .unwrap_or("a GPU without a name");
    let cores = text("sppci_cores").map_or_else(String::new, |cores| format!(", {cores} cores"));
    let support = [
        "spdisplays_mtlgpufamilysupport",
        "spdisplays_metalfamily",
        "spdisplays_metal",
    ]
    .into_iter()
    .find_map(text);
    match support {
        Some(support) if !support.contains("notsupported") => {
            let version = support
                .strip_prefix("spdisplays_metal")
                .filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))
                .map_or_else(|| "Metal".to_owned(), |version| format!("Metal {version}"));
            Observation::ok(format!("{model}{cores}, {version}"))
        }
        _ => Observation::warning(format!("{model}{cores}: no Metal"), REMEDY),
    }
}
