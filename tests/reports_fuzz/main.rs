//! Damage to reports for as long as one likes, and to each of their bytes once.
//!
//! `scripts/fuzz-reports.sh` runs the first. Both start from the reports under `tests/data`.

use std::fs;
use std::path::Path;

mod judge;
mod long_run;
mod mutate;
mod single;

/// A report to be damaged.
struct Seed {
    name: String,
    bytes: Vec<u8>,
}

impl Seed {
    /// Whether its body is JSON.
    fn is_json(&self) -> bool {
        let body = match self.bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => &self.bytes[end..],
            None => &self.bytes[..],
        };
        body.trim_ascii_start().starts_with(b"{")
    }
}

fn seeds() -> Vec<Seed> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut seeds = Vec::new();
    for folder in ["reports", "events"] {
        for entry in fs::read_dir(data.join(folder)).expect("the folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .expect("plain");
            if name != "README.md" {
                seeds.push(Seed {
                    name: name.to_owned(),
                    bytes: fs::read(&path).expect("test data"),
                });
            }
        }
    }
    seeds.sort_by(|one, other| one.name.cmp(&other.name));
    seeds
}
