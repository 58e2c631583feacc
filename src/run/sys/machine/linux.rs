//! The machine, as files of Linux describe it.

use std::fs::File;
use std::io::Read;

/// How much is read of a file, in bytes: what is looked for stands at the start, and making all of `/proc/cpuinfo` takes the
/// kernel a while on a machine of many processors.
const LIMIT: u64 = 4096;

/// Of a file that is missing, as in some containers, nothing is known.
fn text(path: &str) -> Option<String> {
    let mut text = Vec::new();
    let file = File::open(path).ok()?;
    file.take(LIMIT).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    // Those of a device tree end with a zero byte.
    let text = text.trim_end_matches('\0').trim();
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn host() -> Option<String> {
    text("/proc/sys/kernel/hostname")
}

/// os-release(5).
pub(super) fn os() -> Option<String> {
    let release = text("/etc/os-release")?;
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches(['"', '\'']).to_owned())
}

/// The firmware's name for the model: SMBIOS on PCs, the device tree on others.
pub(super) fn model() -> Option<String> {
    text("/sys/class/dmi/id/product_name").or_else(|| text("/proc/device-tree/model"))
}

/// proc_cpuinfo(5); on ARM the kernel gives numbers only.
pub(super) fn processor() -> Option<String> {
    let all = text("/proc/cpuinfo")?;
    let line = all.lines().find(|line| line.starts_with("model name"))?;
    let name = line.split_once(':')?.1.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
