//! Other libraries that are inserted into what is launched from here.

use std::path::Path;

use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;
use crate::target::rules::System;

/// Variables by which dyld finds other libraries than the program was linked with.
const REPLACING: [&str; 4] = [
    "DYLD_LIBRARY_PATH",
    "DYLD_FRAMEWORK_PATH",
    "DYLD_FORCE_FLAT_NAMESPACE",
    "DYLD_ROOT_PATH",
];

pub(super) fn check(host: &dyn Host, subject: &Subject) -> Vec<Observation> {
    let mut found = Vec::new();
    let (variable, separators): (_, &[char]) = match subject.system {
        System::MacOs => ("DYLD_INSERT_LIBRARIES", &[':']),
        // ld.so(8): "separated by spaces or colons".
        System::Linux => ("LD_PRELOAD", &[':', ' ']),
    };
    let inserted = host.variable(variable).unwrap_or_default();
    for library in inserted.split(separators).filter(|entry| !entry.is_empty()) {
        found.push(inserted_library(host, subject.system, variable, library));
    }
    match subject.system {
        System::MacOs => found.extend(REPLACING.iter().filter_map(|name| {
            let value = host.variable(name)?;
            Some(Observation::warning(
                format!("{name}={value}: the target may load other libraries than it was built with"),
                format!("unset {name} unless it is meant"),
            ))
        })),
        System::Linux => found.extend(host.text("/etc/ld.so.preload").ok().and_then(|list| {
            let list = list.split_whitespace().collect::<Vec<_>>().join(", ");
            (!list.is_empty()).then(|| {
                Observation::warning(
                    format!("/etc/ld.so.preload inserts {list} into every process"),
                    "look whether it handles signals or wraps allocation: that changes what a crash shows",
                )
            })
        })),
    }
    if found.is_empty() {
        found.push(Observation::ok(format!(
            "{variable} is not set: the fix library is alone"
        )));
    }
    found
}

fn inserted_library(host: &dyn Host, system: System, variable: &str, library: &str) -> Observation {
    let path = Path::new(library);
    if path.is_absolute() && !host.exists(path) {
        return match system {
            System::MacOs => Observation::error(
                format!(
                    "{variable} names `{library}`, which does not exist: dyld ends every program that takes the variable"
                ),
                format!("unset {variable}"),
            ),
            System::Linux => Observation::warning(
                format!(
                    "{variable} names `{library}`, which does not exist: ld.so complains on every program's stderr"
                ),
                format!("unset {variable}"),
            ),
        };
    }
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    if name.contains("agx_fix") {
        return Observation::warning(
            format!(
                "{variable} inserts `{library}`, a fix library, behind the one that agxrun inserts"
            ),
            format!("unset {variable}: two of them hook the same methods (--dylib chooses one)"),
        );
    }
    Observation::warning(
        format!("{variable} inserts `{library}` as well; it stays, behind the fix library"),
        format!("unset {variable} unless it is meant"),
    )
}
