//! What one message costs a thread that is alone: to a method that is not hooked, and to one that is.

use std::path::Path;
use std::process::Command;
use std::time::Instant;
use std::{env, io};

use crate::driver;
use crate::library::{self, Setting, V2_9, V3, V3_BUFFER, V3_CENSUS, V3_SILENT, summary};
use crate::objc::Id;

/// Short enough that most rounds pass undisturbed.
const MESSAGES: u32 = 20_000;
const ROUNDS: usize = 61;
/// Processes of each setting, which take turns.
const TURNS: usize = 7;
const COUNTED: u32 = 20_000;

/// Nanoseconds of a message.
fn round(object: Id) -> f64 {
    let start = Instant::now();
    driver::messages(object, MESSAGES);
    start.elapsed().as_secs_f64() * 1e9 / f64::from(MESSAGES)
}

/// In the measured process: prints median and fastest of the unhooked message, then of the hooked one.
pub fn measure() {
    driver::register(0);
    let (plain, hooked) = (driver::unhooked(), driver::encoder());
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        without.push(round(plain));
        with.push(round(hooked));
    }
    let (without, with) = (summary(without), summary(with));
    println!("{} {} {} {}", without.0, without.1, with.0, with.1);
}

/// In the counted process.
pub fn send(hooked: bool) -> io::Result<()> {
    driver::register(0);
    let object = if hooked {
        driver::encoder()
    } else {
        driver::unhooked()
    };
    let count = u32::try_from(library::count()?).map_err(io::Error::other)?;
    driver::messages(object, count);
    Ok(())
}

/// Instructions of one message, counted by valgrind in processes that send many and none; `None` without valgrind.
fn instructions(setting: &Setting, role: &str, ledgers: &Path) -> io::Result<Option<f64>> {
    let total = |count: u32| -> io::Result<f64> {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(env::current_exe()?)
            .envs(setting.variables.iter().copied())
            .envs([(library::ROLE, role), (library::COUNT, &count.to_string())])
            .env("AGX_FIX_LEDGER_DIR", ledgers)
            .env("LD_PRELOAD", library::built::library())
            .output()?;
        String::from_utf8_lossy(&output.stderr)
            .lines()
            .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
            .ok_or_else(|| io::Error::other("valgrind counted nothing"))
    };
    match total(0) {
        Ok(none) => Ok(Some((total(COUNTED)? - none) / f64::from(COUNTED))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Measures, and prints the table.
pub fn report(ledgers: &Path) -> io::Result<()> {
    let settings: [&Setting; 5] = [&V3, &V3_SILENT, &V3_BUFFER, &V3_CENSUS, &V2_9];
    let mut rows: [Vec<Vec<f64>>; 5] = Default::default();
    for _ in 0..TURNS {
        for (setting, row) in settings.iter().zip(&mut rows) {
            let figures = library::figures(setting, "messages", 0, ledgers)?;
            if figures.len() != 4 {
                return Err(io::Error::other("the measured process printed less"));
            }
            row.push(figures);
        }
    }
    let middle =
        |row: &[Vec<f64>], column: usize| summary(row.iter().map(|it| it[column]).collect()).0;
    let least =
        |row: &[Vec<f64>], column: usize| summary(row.iter().map(|it| it[column]).collect()).1;
    let all = rows.concat();
    println!(
        "one message, ns     median  fastest   added: median  fastest   ({TURNS} processes of {ROUNDS} rounds of {MESSAGES})"
    );
    let (plain, plain_fastest) = (middle(&all, 0), least(&all, 1));
    println!("{:<18}{plain:8.2} {plain_fastest:8.2}", "unhooked");
    for (setting, row) in settings.iter().zip(&rows) {
        // Each process against its own unhooked message: the machine's speed changes from one to the next.
        let added = summary(row.iter().map(|it| it[2] - it[0]).collect()).0;
        let (median, fastest) = (middle(row, 2), least(row, 3));
        println!(
            "{:<18}{median:8.2} {fastest:8.2}         {added:8.2} {:8.2}",
            setting.name,
            fastest - least(row, 1)
        );
    }
    let Some(without) = instructions(&V3, "unhooked", ledgers)? else {
        println!("one message, instructions: valgrind is not installed");
        return Ok(());
    };
    print!("one message, instructions: {without:.0} unhooked");
    for setting in [&V3, &V3_BUFFER, &V3_CENSUS] {
        if let Some(with) = instructions(setting, "hooked", ledgers)? {
            print!(", {:.0} added by {}", with - without, setting.name);
        }
    }
    println!();
    Ok(())
}
