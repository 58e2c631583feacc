//! System, chip, and the family of its GPU.

use std::collections::HashMap;

use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;
use crate::target::rules::System;

/// Reports of earlier systems have other forms and stand elsewhere; nothing here was made for them.
const OLDEST: u32 = 13;

pub(super) fn check(host: &dyn Host, subject: &Subject) -> Vec<Observation> {
    machine(host, subject.system, subject.processor)
}

/// The same without the rest of what is examined.
pub(in crate::doctor) fn machine(
    host: &dyn Host,
    system: System,
    processor: &str,
) -> Vec<Observation> {
    match system {
        System::MacOs => mac(host),
        System::Linux => vec![linux(host, processor)],
    }
}

fn mac(host: &dyn Host) -> Vec<Observation> {
    vec![version(host), chip(host)]
}

fn version(host: &dyn Host) -> Observation {
    let answer = host.ask("/usr/bin/sw_vers", &[]);
    let said = match answer.output() {
        Ok(said) => said,
        Err(reason) => {
            return Observation::warning(
                format!("`sw_vers` {reason}: the system's version is not known"),
                format!("check that this is macOS {OLDEST} or later"),
            );
        }
    };
    let fields = fields(said);
    let number = fields.get("ProductVersion").copied().unwrap_or("?");
    let build = fields.get("BuildVersion").copied().unwrap_or("?");
    let says = format!("macOS {number} ({build})");
    let major = number
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST => Observation::ok(says),
        Some(_) => Observation::warning(
            format!("{says}: agxrun is made for macOS {OLDEST} and later"),
            "update the system, or do not trust a clean run here",
        ),
        None => Observation::warning(
            format!("{says}: that version cannot be read"),
            format!("check that this is macOS {OLDEST} or later"),
        ),
    }
}

/// One question for all, so that one limit holds for all; `-i` passes over what this system lacks.
const NAMES: [&str; 5] = [
    "-i",
    "machdep.cpu.brand_string",
    "hw.optional.arm64",
    "sysctl.proc_translated",
    "kern.hv_vmm_present",
];

fn chip(host: &dyn Host) -> Observation {
    let answer = host.ask("/usr/sbin/sysctl", &NAMES);
    let said = match answer.output() {
        Ok(said) => said,
        Err(reason) => {
            return Observation::warning(
                format!("`sysctl` {reason}: the chip is not known"),
                "check that this is an Apple-silicon Mac: the AGX driver is on no other",
            );
        }
    };
    let fields = fields(said);
    let is = |name: &str| fields.get(name) == Some(&"1");
    let brand = fields
        .get("machdep.cpu.brand_string")
        .copied()
        .unwrap_or("an unknown chip");
    if !is("hw.optional.arm64") {
        return Observation::warning(
            format!("{brand}: no Apple silicon, so there is no AGX driver to fix"),
            "runs are watched all the same; use an Apple-silicon Mac for the fix",
        );
    }
    if is("sysctl.proc_translated") {
        return Observation::warning(
            format!("{brand}, and agxrun runs under Rosetta: what it launches prefers x86-64, too"),
            "install agxrun for arm64",
        );
    }
    if is("kern.hv_vmm_present") {
        // The device of Apple's hypervisor is a paravirtual one, another driver's.
        return Observation::warning(
            format!("{brand}, in a virtual machine: its GPU is not driven by the AGX driver"),
            "a clean run here says nothing about the driver's races; use a real Mac for that",
        );
    }
    Observation::ok(match family(brand) {
        Some(family) => format!("{brand}, AGX family {family}"),
        None => format!(
            "{brand}, of an AGX family that agxrun has no name for (the hooks go by class, not by chip)"
        ),
    })
}

/// By the names of the driver's classes and bundles (`AGXG16XFamily...`, `AGXMetalG15X`).
fn family(brand: &str) -> Option<&'static str> {
    let chip = brand.strip_prefix("Apple ")?.split(' ').next()?;
    Some(match chip {
        "M1" => "G13",
        "M2" => "G14",
        "M3" => "G15",
        "M4" => "G16",
        "M5" => "G17",
        _ => return None,
    })
}

/// `name: value` lines.
fn fields(text: &str) -> HashMap<&str, &str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect()
}

fn linux(host: &dyn Host, processor: &str) -> Observation {
    // Neither is more than a name: without it the line is shorter.
    let release = host.text("/etc/os-release").unwrap_or_default();
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map_or("Linux", |name| name.trim_matches('"'));
    let kernel = host.text("/proc/sys/kernel/osrelease").unwrap_or_default();
    Observation::ok(format!(
        "{name}, Linux {} on {processor}: the rehearsal's system",
        kernel.trim(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_go_by_the_chips_generation() {
        for (brand, expected) in [
            ("Apple M1", Some("G13")),
            ("Apple M4 Max", Some("G16")),
            ("Apple M17", None),
            ("Apple A18 Pro", None),
            ("Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz", None),
        ] {
            assert_eq!(family(brand), expected, "{brand}");
        }
    }
}
