//! The test program started again as a *subject* with the library preloaded, and the ledgers that it leaves.
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use agx_ledger::Ledger;

#[path = "../built/mod.rs"]
pub mod built;

/// Which subject this process is, if it is one.
pub const SUBJECT: &str = "AGX_TEST_SUBJECT";

/// A command of this test program as the subject called `name`.
pub fn subject_command(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("a path"));
    command
        .args(["--exact", "subject", "--nocapture", "--test-threads=1"])
        .env(SUBJECT, name);
    command
}

/// The command with the library, which leaves its ledgers in `folder`.
pub fn with_library<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    command
        .env("LD_PRELOAD", built::library())
        .env("AGX_FIX_LEDGER_DIR", folder)
        .stdin(Stdio::null())
}

/// The ledgers in a folder, whole ones all of them.
pub fn ledgers(folder: &Path) -> Vec<Ledger> {
    let entries = fs::read_dir(folder).expect("a folder");
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let bytes = fs::read(entry.expect("an entry").path()).expect("readable");
        let ledger = Ledger::parse(&bytes).expect("a ledger");
        assert_eq!(ledger.damage, []);
        ledger
    };
    entries.map(read).collect()
}
