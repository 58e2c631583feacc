//! What the library adds to a process without Metal, in time and in memory.

use std::path::Path;
use std::process::Command;
use std::time::Instant;
use std::{env, fs, io};

use crate::library::{ROLE, preloaded, summary};

const STARTS: usize = 201;

/// Measures, and prints what it found.
pub fn report(ledgers: &Path) -> io::Result<()> {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    let time = |command: &mut Command| {
        let start = Instant::now();
        command
            .status()
            .map(|_| start.elapsed().as_secs_f64() * 1e3)
    };
    for _ in 0..STARTS {
        without.push(time(&mut Command::new("/bin/true"))?);
        with.push(time(&mut preloaded("/bin/true", ledgers))?);
    }
    let (without, with) = (summary(without), summary(with));
    println!(
        "a process without Metal: true, ms   median {:.3} + {:.3}, fastest {:.3} + {:.3}   ({STARTS} starts)",
        without.0,
        with.0 - without.0,
        without.1,
        with.1 - without.1
    );
    let held = |command: &mut Command| -> io::Result<f64> {
        let output = command.env(ROLE, "hold").output()?;
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .map_err(io::Error::other)
    };
    let program = env::current_exe()?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        without.push(held(&mut Command::new(&program))?);
        with.push(held(&mut preloaded(&program, ledgers))?);
    }
    let (without, with) = (summary(without), summary(with));
    println!(
        "a process without Metal: memory of its own, KiB   {:.0} + {:.0}",
        without.0,
        with.0 - without.0
    );
    Ok(())
}

/// Prints the proportional share of memory of this process, in KiB.
pub fn hold() -> io::Result<()> {
    let text = fs::read_to_string("/proc/self/smaps_rollup")?;
    let share = text
        .lines()
        .find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB"))
        .ok_or_else(|| io::Error::other("the kernel gives no Pss"))?;
    println!("{share}");
    Ok(())
}
