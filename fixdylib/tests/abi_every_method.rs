//! Every method of every class of the rehearsal's dump, sent through its hook and without one.
//!
//! The rehearsal's recorders say what was sent and what arrived, both ways, in values by which a misplaced register or
//! stack slot shows. This program starts itself again as the sender: once with the library preloaded and once without.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use agx_ledger::{Ledger, State};
use agx_policy::abi::Convention;
use agx_policy::coverage;
use agx_policy::dump::Dump;
use agx_policy::rules;
use tempfile::TempDir;

mod built;

const DUMP: &str = include_str!("../../tests/rehearsal/data/driver-classes.tsv");
/// Where the sender writes what became of its messages.
const SENDER: &str = "AGX_TEST_SENDER";
/// The driver that it loads.
const DRIVER: &str = "AGX_TEST_DRIVER";
const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

/// `struct agx_rehearsal_record` of the rehearsal's header.
#[repr(C)]
struct Record {
    calls: u32,
    others: u32,
    argument_words: u32,
    result_words: u32,
    sent: [u64; 64],
    received: [u64; 64],
    returned: [u64; 16],
    result: [u64; 16],
}

/// The rehearsal's driver.
struct Driver(*mut c_void);

impl Driver {
    fn load() -> Self {
        let path = CString::new(env::var_os(DRIVER).expect("named by the test").as_bytes());
        // SAFETY: the driver's constructor registers classes and nothing else.
        let library = unsafe { libc::dlopen(path.expect("no NUL").as_ptr(), libc::RTLD_NOW) };
        assert!(!library.is_null(), "the driver cannot be loaded");
        Self(library)
    }

    /// # Safety
    /// `F` is the type of the function with this name.
    unsafe fn function<F: Copy>(&self, name: &CStr) -> F {
        // SAFETY: the handle is open; a function pointer has an address's size.
        unsafe {
            let address = libc::dlsym(self.0, name.as_ptr());
            assert!(!address.is_null(), "{name:?}");
            std::mem::transmute_copy(&address)
        }
    }

    /// Class, selector and encoding of each method with a recorder.
    fn methods(&self) -> Vec<[&'static CStr; 3]> {
        type Method = unsafe extern "C" fn(
            usize,
            *mut *const c_char,
            *mut *const c_char,
            *mut *const c_char,
        ) -> c_int;
        // SAFETY: the signatures are those of the header; the strings live as long as the driver.
        unsafe {
            let count: extern "C" fn() -> usize = self.function(c"agx_rehearsal_recorded_methods");
            let method: Method = self.function(c"agx_rehearsal_recorded_method");
            let names = |index| {
                let mut names = [std::ptr::null(); 3];
                let [class, selector, encoding] = &mut names;
                assert_eq!(method(index, class, selector, encoding), 0);
                names.map(|it| CStr::from_ptr(it))
            };
            (0..count()).map(names).collect()
        }
    }

    fn send(&self, class: &CStr, selector: &CStr, seed: u64) -> Result<Record, c_int> {
        type Send = unsafe extern "C" fn(*const c_char, *const c_char, u64, *mut Record) -> c_int;
        let mut record = std::mem::MaybeUninit::uninit();
        // SAFETY: the signature is the header's; the record is written where 0 is returned.
        unsafe {
            let send: Send = self.function(c"agx_rehearsal_send");
            match send(class.as_ptr(), selector.as_ptr(), seed, record.as_mut_ptr()) {
                0 => Ok(record.assume_init()),
                error => Err(error),
            }
        }
    }
}

/// Words that are the same in every process: those of values without an address.
fn comparable(kinds: &str, words: &[u64]) -> String {
    if kinds.contains(['@', '^', '#', ':', '*', '?']) && !kinds.starts_with("{?=") {
        return String::new();
    }
    format!("{words:x?}")
}

/// The sender: a line for each message.
#[test]
fn sender() {
    let Some(out) = env::var_os(SENDER) else {
        return; // nothing to do in the test run itself
    };
    let driver = Driver::load();
    let mut lines = String::new();
    for [class, selector, encoding] in driver.methods() {
        let [class_name, selector_name, encoding] =
            [class, selector, encoding].map(|it| it.to_str().expect("ASCII"));
        let (result, arguments) = encoding.split_once("@:").expect("a method's encoding");
        for seed in SEEDS {
            let told = format!("{class_name} {selector_name} {encoding} {seed}");
            let record = driver
                .send(class, selector, seed)
                .unwrap_or_else(|error| panic!("{told}: {error}"));
            assert_eq!((record.calls, record.others), (1, 0), "{told}");
            assert_eq!(record.sent, record.received, "{told}");
            assert_eq!(record.returned, record.result, "{told}");
            let sent = &record.sent[2..record.argument_words as usize];
            let got = &record.result[..record.result_words as usize];
            lines += &[
                told.as_str(),
                &comparable(arguments, sent),
                &comparable(result, got),
                "\n",
            ]
            .join(" ");
        }
    }
    fs::write(out, lines).expect("written");
}

/// Runs the sender; what it wrote.
fn run(out: &Path, prepare: impl FnOnce(&mut Command)) -> String {
    let mut command = Command::new(env::current_exe().expect("a path"));
    command
        .args(["--exact", "sender", "--nocapture", "--test-threads=1"])
        .env(SENDER, out)
        .env(DRIVER, built::product("libagx_rehearsal.so"))
        .env("AGX_REHEARSAL_RECORD", "1")
        .stdin(Stdio::null());
    prepare(&mut command);
    let output = command.output().expect("starts");
    assert!(
        output.status.success(),
        "{:?}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    fs::read_to_string(out).expect("the sender wrote")
}

#[test]
fn every_method_is_the_same_hooked_and_unhooked() {
    let folder = TempDir::new().expect("a folder");
    let ledgers = folder.path().join("ledgers");
    fs::create_dir(&ledgers).expect("made");
    let plain = run(&folder.path().join("plain"), |_| {});
    let hooked = run(&folder.path().join("hooked"), |command| {
        command
            .env("LD_PRELOAD", built::library())
            .env("AGX_FIX_LEDGER_DIR", &ledgers);
    });
    assert!(plain.lines().count() > 2500, "{}", plain.lines().count());
    for (plain, hooked) in plain.lines().zip(hooked.lines()) {
        assert_eq!(plain, hooked);
    }
    assert_eq!(plain.len(), hooked.len());

    let entry = fs::read_dir(&ledgers).expect("a folder").next();
    let path = entry.expect("a ledger").expect("readable").path();
    let ledger = Ledger::parse(&fs::read(path).expect("readable")).expect("a ledger");
    assert_eq!(ledger.damage, []);
    every_method_was_hooked(&ledger);
    for counter in [
        "odd_receivers",
        "hooks_replaced",
        "caught_panics",
        "null_impl_skips",
    ] {
        assert_eq!(ledger.counter(counter), Some(0), "{counter}");
    }
    // Each message to a hooked method went through its hook; what a recorder calls beside it comes on top.
    let sent = sent_through_hooks(&hooked, &ledger);
    assert!(sent > 2000, "{sent}");
    assert!(
        ledger.counter("method_calls") >= Some(sent),
        "{sent} of {:?}",
        ledger.counter("method_calls")
    );
}

/// The census says of each method of the dump what the rules say.
fn every_method_was_hooked(ledger: &Ledger) {
    let dump = Dump::parse(DUMP).expect("the dump");
    let census: BTreeMap<_, _> = ledger
        .census
        .iter()
        .map(|it| ((it.class.as_str(), it.selector.as_str()), it))
        .collect();
    for class in &dump.classes {
        let Some(family) = dump.family(class) else {
            continue;
        };
        for method in &class.methods {
            let role = rules::decide_encoded(family, method.selector, method.encoding.as_bytes());
            let found = census.get(&(class.name, method.selector));
            // A class that only the dump knows inherits the root's `init` and `dealloc`.
            assert!(
                found.is_some() || ["init", "dealloc"].contains(&method.selector),
                "-[{} {}]",
                class.name,
                method.selector
            );
            if let Some(found) = found {
                let state = if role.is_ok() {
                    State::Hooked
                } else {
                    State::LeftAlone
                };
                assert_eq!(
                    (found.state, found.reason),
                    (state, role.err()),
                    "-[{} {}]",
                    class.name,
                    method.selector
                );
            }
        }
    }
    let policy = agx_policy::default_policy();
    let coverage = coverage::of(&dump, policy, Convention::NATIVE);
    assert!(
        ledger.counter("hooks_installed") >= Some(coverage.hooked as u64),
        "{} by the dump",
        coverage.hooked
    );
    assert_eq!(ledger.counter("hooks_unhooked"), Some(0));
}

fn sent_through_hooks(lines: &str, ledger: &Ledger) -> u64 {
    let hooked: Vec<_> = ledger
        .census
        .iter()
        .filter(|it| it.state == State::Hooked)
        .map(|it| format!("{} {} ", it.class, it.selector))
        .collect();
    let through = lines
        .lines()
        .filter(|line| hooked.iter().any(|it| line.starts_with(it.as_str())));
    through.count() as u64
}
