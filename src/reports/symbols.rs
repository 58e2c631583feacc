//! Symbol names as their source spells them.
//!
//! ReportCrash writes most names demangled. What stays mangled are names that it did not know how
//! to read: Rust's later scheme, and C++ names of lambdas and templates beyond its patience.
//! Swift's names are left as they are: the only complete readers of them are Apple's own, in C++,
//! and ReportCrash has gone through that one already.

use std::borrow::Cow;
use std::fmt::{self, Write};

use cpp_demangle::{BorrowedSymbol, DemangleOptions, ParseOptions};

/// The longest mangled name that is looked at, in bytes: compilers give up far below.
const MANGLED_LIMIT: usize = 16 * 1024;

/// The longest name that is made, in bytes. A mangled name refers to its own parts, so that a
/// short one can stand for gigabytes.
const DEMANGLED_LIMIT: usize = 64 * 1024;

/// How deep a name's types may nest.
const DEPTH_LIMIT: u32 = 128;

/// The name that a mangled one of C++ or Rust stands for; any other name as it is.
pub fn demangle(name: &str) -> Cow<'_, str> {
    let Some(mangled) = stripped(name) else {
        return Cow::Borrowed(name);
    };
    rust(mangled)
        .or_else(|| cpp(mangled))
        .map_or(Cow::Borrowed(name), Cow::Owned)
}

/// Every mangled name in a line, replaced.
pub fn demangle_line(line: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = line.get(at..).and_then(|rest| rest.find('_')) {
        let start = at + found;
        let rest = line.get(start..).unwrap_or_default();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.')))
            .unwrap_or(rest.len());
        at = start + end.max(1);
        let begins = line
            .get(..start)
            .is_none_or(|before| before.is_empty() || before.ends_with([' ', '\t', '(']));
        if begins && let Cow::Owned(name) = demangle(rest.get(..end).unwrap_or_default()) {
            out.push_str(line.get(done..start).unwrap_or_default());
            out.push_str(&name);
            done = start + end;
        }
    }
    if done == 0 {
        return Cow::Borrowed(line);
    }
    out.push_str(line.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// The mangled name, from its `_Z` or `_R`: Mach-O puts an underscore before every name, and clang
/// two more before those of blocks.
fn stripped(name: &str) -> Option<&str> {
    if name.len() > MANGLED_LIMIT {
        return None;
    }
    let bare = name.trim_start_matches('_');
    let underscores = name.len() - bare.len();
    if !(1..=4).contains(&underscores) || !bare.starts_with(['Z', 'R']) {
        return None;
    }
    name.get(underscores - 1..)
}

fn rust(mangled: &str) -> Option<String> {
    let symbol = rustc_demangle::try_demangle(mangled).ok()?;
    let mut name = Bounded(String::new());
    // The alternate form leaves out the hash at the end.
    write!(name, "{symbol:#}").ok()?;
    Some(name.0)
}

fn cpp(mangled: &str) -> Option<String> {
    let parse = ParseOptions::default().recursion_limit(DEPTH_LIMIT);
    let (symbol, tail) = BorrowedSymbol::with_tail_and_options(mangled.as_bytes(), &parse).ok()?;
    let tail = str::from_utf8(tail).ok()?;
    let mut name = Bounded(String::new());
    if tail.starts_with("_block_invoke") {
        name.write_str("invocation function for block in ").ok()?;
    } else if !tail.is_empty() && !tail.starts_with('.') {
        return None;
    }
    let options = DemangleOptions::default().recursion_limit(DEPTH_LIMIT);
    symbol.structured_demangle(&mut name, &options).ok()?;
    if tail.starts_with('.') {
        write!(name, " ({tail})").ok()?;
    }
    Some(name.0)
}

/// Text that takes no more than [`DEMANGLED_LIMIT`] bytes.
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > DEMANGLED_LIMIT {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cpp_and_rust_are_read() {
        for (mangled, name) in [
            (
                "_ZN3AGX14ComputeContext17prepareForEnqueueEb",
                "AGX::ComputeContext::prepareForEnqueue(bool)",
            ),
            (
                "__ZN3AGX14ComputeContext17prepareForEnqueueEb",
                "AGX::ComputeContext::prepareForEnqueue(bool)",
            ),
            (
                "___ZN3foo3barEv_block_invoke",
                "invocation function for block in foo::bar()",
            ),
            (
                "_RNvCsiGVaDesi5rv_7___rustc17rust_begin_unwind",
                "__rustc::rust_begin_unwind",
            ),
            (
                "_ZN4core9panicking5panic17h0123456789abcdefE",
                "core::panicking::panic",
            ),
        ] {
            assert_eq!(demangle(mangled), name);
        }
    }

    #[test]
    fn other_names_stay_as_they_are() {
        for name in [
            "",
            "_",
            "__pthread_kill",
            "main",
            "-[AGXG16XFamilyComputeContext setComputePipelineState:]",
            "_Ruby",
            "_Zebra",
            "__RCTExecuteOnMainQueue_block_invoke",
            "$s4main5helloSSyYaKF",
            "duckdb::StringStats::Update(duckdb::BaseStatistics&)",
            "Z",
            "é_Z",
        ] {
            assert!(
                matches!(demangle(name), Cow::Borrowed(same) if same == name),
                "{name}"
            );
        }
    }

    #[test]
    fn a_name_that_stands_for_gigabytes_stays_as_it_is() {
        // Each substitution refers twice to the one before.
        let mut name = "_Z1fSt4pairIiiE".to_owned();
        let digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        for digit in digits.chars() {
            write!(name, "S_IS{digit}_S{digit}_E").expect("a String takes it");
        }
        assert!(demangle(&name).len() <= DEMANGLED_LIMIT);
        let deep = format!("_Z1f{}i", "P".repeat(MANGLED_LIMIT));
        assert_eq!(demangle(&deep), deep);
        let deep = format!("_Z1f{}i", "P".repeat(10_000));
        assert_eq!(demangle(&deep), deep);
    }

    #[test]
    fn names_inside_a_line_are_replaced() {
        assert_eq!(
            demangle_line("1   a_lib   0x1 0x0 + 8 (_ZN1a1bEv + 4)"),
            "1   a_lib   0x1 0x0 + 8 (a::b() + 4)"
        );
        assert_eq!(
            demangle_line("2   lib \t 0x10 _ZN1a1bEv + 4"),
            "2   lib \t 0x10 a::b() + 4"
        );
        let plain = "3   lib_ZN1a1bEv  0x10 __pthread_kill + 8 é_";
        assert!(matches!(demangle_line(plain), Cow::Borrowed(same) if same == plain));
    }
}
