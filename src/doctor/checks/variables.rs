//! Variables that change what a run does or shows.

use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;
use crate::inject::environment::{FIX_VERSION, LOCK_SCOPE, MAX_INFLIGHT};
use crate::target::rules::System;

/// Metal's own tools put a layer around every encoder, whose classes differ and whose locks change the timing.
const METAL_LAYERS: [&str; 5] = [
    "MTL_DEBUG_LAYER",
    "METAL_DEVICE_WRAPPER_TYPE",
    "METAL_DEBUG_ERROR_MODE",
    "MTL_SHADER_VALIDATION",
    "MTL_CAPTURE_ENABLED",
];

/// Variables of frameworks that move work off the GPU, or change how much of it runs at a time.
const FRAMEWORKS: [&str; 5] = [
    "PYTORCH_ENABLE_MPS_FALLBACK",
    "PYTORCH_MPS_HIGH_WATERMARK_RATIO",
    "PYTORCH_MPS_LOW_WATERMARK_RATIO",
    "MLX_MAX_OPS_PER_BUFFER",
    "MLX_MAX_MB_PER_BUFFER",
];

pub(super) fn check(host: &dyn Host, subject: &Subject) -> Vec<Observation> {
    let mut found = Vec::new();
    found.extend(disabled(host));
    found.extend(version(host));
    found.extend(throttle(host));
    found.extend(others(host));
    if subject.system == System::MacOs {
        found.extend(layers(host));
        found.extend(frameworks(host));
    }
    if found.is_empty() {
        found.push(Observation::ok("none that changes a run is set"));
    }
    found
}

fn is_on(value: &str) -> bool {
    // As the library reads them; the empty string never comes here.
    !matches!(value, "0" | "false" | "off" | "no")
}

fn disabled(host: &dyn Host) -> Option<Observation> {
    let value = host
        .variable("AGX_FIX_DISABLE")
        .filter(|value| is_on(value))?;
    Some(Observation::warning(
        format!("AGX_FIX_DISABLE={value}: the library is loaded and hooks nothing"),
        "unset AGX_FIX_DISABLE unless this is to be a control",
    ))
}

fn version(host: &dyn Host) -> Option<Observation> {
    let name = host.variable(FIX_VERSION)?;
    Some(match agx_policy::find(name) {
        Err(_) => Observation::error(
            format!("{FIX_VERSION}={name}: there is no such policy, and the library hooks nothing"),
            format!("unset {FIX_VERSION}; `agxrun fix list` shows the policies"),
        ),
        Ok(policy) if policy.name == agx_policy::default_policy().name => {
            Observation::ok(format!("{FIX_VERSION}={name}: the default"))
        }
        Ok(policy) => Observation::warning(
            format!(
                "{FIX_VERSION}={name}: every run follows that published policy; its author says how it fails: {}",
                policy.known_failure
            ),
            format!("unset {FIX_VERSION} unless it is to be compared with"),
        ),
    })
}

fn throttle(host: &dyn Host) -> Option<Observation> {
    let value = host.variable(MAX_INFLIGHT)?;
    Some(match value.parse::<u16>() {
        Ok(0) => Observation::ok(format!("{MAX_INFLIGHT}=0: no throttle")),
        Ok(limit) => Observation::warning(
            format!(
                "{MAX_INFLIGHT}={limit}: at most {limit} command buffers are in flight: slower, and races show less"
            ),
            format!(
                "unset {MAX_INFLIGHT} unless it is meant, or say it in each run with --throttle"
            ),
        ),
        Err(_) => Observation::warning(
            format!(
                "{MAX_INFLIGHT}={value}: not a whole number from 0 to {}",
                u16::MAX
            ),
            format!("unset {MAX_INFLIGHT}, or use --throttle"),
        ),
    })
}

/// The library's other variables: set in a shell's profile they are forgotten, and change every run.
fn others(host: &dyn Host) -> Option<Observation> {
    let told = [
        "AGX_FIX_DISABLE",
        FIX_VERSION,
        MAX_INFLIGHT,
        "AGX_FIX_DYLIB",
    ];
    let set: Vec<String> = host
        .variables()
        .iter()
        .filter(|(name, value)| {
            let name = name.as_str();
            name.starts_with("AGX_FIX_") && !told.contains(&name) && !value.is_empty()
        })
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    (!set.is_empty()).then(|| {
        Observation::ok(format!(
            "set for the library: {} (README, variables; {LOCK_SCOPE} and the waits are for v3)",
            set.join(", ")
        ))
    })
}

fn set<'a>(host: &'a dyn Host, names: &[&str]) -> Vec<String> {
    names
        .iter()
        .filter_map(|name| Some((name, host.variable(name)?)))
        .map(|(name, value): (&&str, &'a str)| format!("{name}={value}"))
        .collect()
}

fn layers(host: &dyn Host) -> Option<Observation> {
    let set = set(host, &METAL_LAYERS);
    (!set.is_empty()).then(|| {
        Observation::warning(
            format!(
                "{}: Metal's tools stand between the target and the driver",
                set.join(", ")
            ),
            "unset them: the driver's races show otherwise, or not, under them",
        )
    })
}

fn frameworks(host: &dyn Host) -> Option<Observation> {
    let set = set(host, &FRAMEWORKS);
    (!set.is_empty()).then(|| {
        Observation::warning(
            format!("{}: less may run on the GPU, or at a time", set.join(", ")),
            "unset them where a clean run is to be compared with others",
        )
    })
}
