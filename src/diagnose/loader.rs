//! What a system's loader says, on stderr and in reports, of libraries that were to be inserted.

use crate::reports::model::Report;

/// What dyld says of every such library (dyld 1378, `dyldMain.cpp`, `prepare`); the words behind
/// stand in the report as well, these on stderr only.
const INSERTED: &str = "inserted dylib";

/// A loader's line about a library that was to be inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoaderLine<'a> {
    /// dyld ends the process because of it.
    Refused {
        /// The process, where the line names it: `dyld[PID]: ...`.
        pid: Option<i32>,
    },
    /// ld.so goes on without it.
    NotPreloaded {
        /// The library, as `LD_PRELOAD` names it.
        library: &'a str,
        /// Why.
        reason: &'a str,
    },
}

/// What a line of stderr says, if it is the loader's.
pub fn loader_line(line: &str) -> Option<LoaderLine<'_>> {
    refused(line).or_else(|| not_preloaded(line))
}

/// `dyld[4185]: terminating because inserted dylib '...' could not be loaded: ...`; before macOS 12 without the pid.
fn refused(line: &str) -> Option<LoaderLine<'_>> {
    let (before, after) = line.split_once(INSERTED)?;
    after.contains("could not be loaded").then_some(())?;
    let (_, process) = before.split_once("dyld")?;
    let pid = process
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .and_then(|(pid, _)| pid.parse().ok());
    Some(LoaderLine::Refused { pid })
}

/// `ERROR: ld.so: object '...' from LD_PRELOAD cannot be preloaded (...): ignored.` (glibc, `elf/rtld.c`, `do_preload`).
fn not_preloaded(line: &str) -> Option<LoaderLine<'_>> {
    let (_, object) = line.split_once("ld.so: object '")?;
    let (library, rest) = object.split_once("' from LD_PRELOAD cannot be preloaded (")?;
    let (reason, _) = rest.rsplit_once("): ignored")?;
    Some(LoaderLine::NotPreloaded { library, reason })
}

/// dyld's words in the report of a process that it ended because of something inserted.
///
/// A report in namespace `DYLD` tells it with what dyld tried. One whose words say that *another*
/// image refers to something missing is of a program that lacks a library of its own, with or
/// without anything inserted. `names` are the file names of what was inserted; without any, dyld
/// had no such reason.
pub fn refused_in(report: &Report, names: &[String]) -> Option<String> {
    let termination = report.termination.as_ref()?;
    let is_dyld = termination.namespace.as_deref() == Some("DYLD");
    (is_dyld && !names.is_empty()).then_some(())?;
    // What dyld left as information says which variables it honoured: the library's name there is no complaint.
    let information = report
        .asi
        .iter()
        .flat_map(|entry| &entry.messages)
        .filter(|words| words.contains(INSERTED));
    let words: Vec<&str> = words_of(report)
        .chain(information.map(String::as_str))
        .collect();
    let blames_insertion = |words: &&str| {
        words.contains(INSERTED) || names.iter().any(|name| words.contains(name.as_str()))
    };
    let lacks_its_own = words
        .iter()
        .any(|words| words.starts_with("Referenced from:"));
    if lacks_its_own && !words.iter().any(blames_insertion) {
        return None;
    }
    Some(if words.is_empty() {
        "dyld's report does not say why".to_owned()
    } else {
        words.join("; ")
    })
}

/// dyld's words in the report of a process that it ended: what it lacked, who needed it, what was tried.
/// Nothing where another ended it.
pub fn words_of(report: &Report) -> impl Iterator<Item = &str> {
    let by_dyld = report
        .termination
        .iter()
        .filter(|termination| termination.namespace.as_deref() == Some("DYLD"));
    by_dyld
        .flat_map(|termination| &termination.reasons)
        .map(|words| words.trim())
        // A detail that says nothing of the reason.
        .filter(|words| !words.is_empty() && !words.starts_with("(terminated at launch"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::model::{ImageMessages, Termination};
    use proptest::prelude::*;

    #[test]
    fn dylds_line_is_known_with_and_without_the_process() {
        let refused = |line| loader_line(line);
        let now = "dyld[4185]: terminating because inserted dylib '/x/own.dylib' could not be loaded: tried: '/x/own.dylib' \
                   (mach-o file, but is an incompatible architecture (have 'arm64', need 'arm64e'))";
        assert_eq!(refused(now), Some(LoaderLine::Refused { pid: Some(4185) }));
        let before =
            "dyld: terminating because inserted dylib '/x' could not be loaded: image not found";
        assert_eq!(refused(before), Some(LoaderLine::Refused { pid: None }));
        for other in [
            "an inserted dylib could not be loaded",
            "dyld[1]: Library not loaded: @rpath/x.dylib",
            "",
        ] {
            assert_eq!(refused(other), None, "{other}");
        }
    }

    #[test]
    fn ld_sos_line_names_library_and_reason() {
        let line = "ERROR: ld.so: object '/x/libagx_fix.so' from LD_PRELOAD cannot be preloaded (wrong ELF class: ELFCLASS64): ignored.";
        assert_eq!(
            loader_line(line),
            Some(LoaderLine::NotPreloaded {
                library: "/x/libagx_fix.so",
                reason: "wrong ELF class: ELFCLASS64",
            })
        );
        let system = "ERROR: ld.so: object '/x.so' from /etc/ld.so.preload cannot be preloaded (no): ignored.";
        assert_eq!(loader_line(system), None);
    }

    fn report(namespace: &str, reasons: &[&str], information: &[&str]) -> Report {
        Report {
            termination: Some(Termination {
                namespace: Some(namespace.to_owned()),
                reasons: reasons.iter().map(|&words| words.to_owned()).collect(),
                ..Termination::default()
            }),
            asi: vec![ImageMessages {
                image: "dyld".to_owned(),
                messages: information.iter().map(|&words| words.to_owned()).collect(),
            }],
            ..Report::default()
        }
    }

    fn ours() -> Vec<String> {
        vec!["own.dylib".to_owned()]
    }

    #[test]
    fn what_dyld_tried_is_the_insertions_fault() {
        let tried = "tried: '/x/own.dylib' (no such file)";
        let words = refused_in(&report("DYLD", &[tried], &[]), &ours());
        assert_eq!(words.as_deref(), Some(tried));
        let details = ["(terminated at launch; ignore backtrace)"];
        let unsaid = refused_in(&report("DYLD", &details, &[]), &ours());
        assert!(unsaid.is_some_and(|words| words.contains("does not say why")));
    }

    #[test]
    fn a_library_of_ours_that_lacks_another_is_the_insertions_fault() {
        let reasons = [
            "Library not loaded: @rpath/y.dylib",
            "Referenced from: <UUID> /x/own.dylib",
        ];
        assert!(refused_in(&report("DYLD", &reasons, &[]), &ours()).is_some());
    }

    #[test]
    fn a_program_that_lacks_a_library_of_its_own_is_not() {
        // After a public report of macOS 26 (`libraw_r.25.dylib` missing below `libvips.dylib`).
        let reasons = [
            "Library not loaded: /usr/local/opt/libraw/lib/libraw_r.25.dylib",
            "Referenced from: <1D4C196B-2627-3B71-9183-CDBAB8DE5498> /Applications/App.app/Contents/Frameworks/libvips.dylib",
            "Reason: tried: '/usr/local/opt/libraw/lib/libraw_r.25.dylib' (no such file)",
        ];
        let config = ["dyld4 config: DYLD_INSERT_LIBRARIES=/x/own.dylib"];
        assert_eq!(
            refused_in(&report("DYLD", &reasons, &config), &ours()),
            None
        );
        let said = ["terminating because inserted dylib"];
        assert!(refused_in(&report("DYLD", &reasons, &said), &ours()).is_some());
    }

    #[test]
    fn without_insertion_or_in_another_namespace_it_is_nobodys_but_the_targets() {
        let tried = ["tried: '/x/own.dylib' (no such file)"];
        assert_eq!(refused_in(&report("DYLD", &tried, &[]), &[]), None);
        assert_eq!(refused_in(&report("SIGNAL", &tried, &[]), &ours()), None);
        assert_eq!(refused_in(&Report::default(), &ours()), None);
    }

    proptest! {
        #[test]
        fn any_line_is_taken(line in "(dyld|ld\\.so: object '|inserted dylib|\\[|\\]|' from LD_PRELOAD cannot be preloaded \\(|\\): ignored|could not be loaded|.){0,12}") {
            let _ = loader_line(&line);
        }

        #[test]
        fn what_ld_so_prints_is_read_back(library in "[^\n']{1,40}", reason in "[^\n']{0,40}") {
            let line = format!("ERROR: ld.so: object '{library}' from LD_PRELOAD cannot be preloaded ({reason}): ignored.");
            let expected = LoaderLine::NotPreloaded { library: &library, reason: &reason };
            prop_assert_eq!(loader_line(&line), Some(expected));
        }
    }
}
