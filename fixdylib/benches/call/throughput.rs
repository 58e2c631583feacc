//! Calls a second of eight threads with a command buffer and an encoder each, where the driver computes in each call.

use std::io;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::driver;
use crate::library::{self, Setting, V2_9, V3, V3_BUFFER, summary};
use crate::objc::Id;

const THREADS: usize = 8;
/// What the driver's method takes.
const WORK_NS: f64 = 200.0;
const LASTS: Duration = Duration::from_millis(400);
/// Processes of each setting, which take turns.
const TURNS: usize = 5;
/// Messages between two looks at the clock's flag.
const BATCH: u32 = 100;

/// In a process of its own: turns of the method's loop that take [`WORK_NS`].
pub fn calibrate() {
    const TURNS: u64 = 1000;
    driver::register(TURNS);
    let plain = driver::unhooked();
    let fastest = (0..201)
        .map(|_| {
            let start = Instant::now();
            driver::messages(plain, BATCH);
            start.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH)
        })
        .fold(f64::INFINITY, f64::min);
    println!("{}", (TURNS as f64 * WORK_NS / fastest).round());
}

/// In the measured process: prints the calls a second of all threads.
pub fn measure() -> io::Result<()> {
    driver::register(library::count()?);
    let (start, stop, calls) = (
        Barrier::new(THREADS + 1),
        AtomicBool::new(false),
        AtomicU64::new(0),
    );
    let took = std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let encoder = driver::encoder() as usize;
            let (start, stop, calls) = (&start, &stop, &calls);
            scope.spawn(move || {
                start.wait();
                while !stop.load(Ordering::Relaxed) {
                    driver::messages(encoder as Id, BATCH);
                    calls.fetch_add(u64::from(BATCH), Ordering::Relaxed);
                }
            });
        }
        start.wait();
        let began = Instant::now();
        std::thread::sleep(LASTS);
        stop.store(true, Ordering::Relaxed);
        began.elapsed()
    });
    println!(
        "{}",
        calls.load(Ordering::Relaxed) as f64 / took.as_secs_f64()
    );
    Ok(())
}

/// Measures, and prints the table.
pub fn report(ledgers: &Path) -> io::Result<()> {
    let turns = library::figures(&V3, "calibrate", 0, ledgers)?[0] as u64;
    let settings: [&Setting; 3] = [&V2_9, &V3, &V3_BUFFER];
    let mut rows: [Vec<f64>; 3] = Default::default();
    for _ in 0..TURNS {
        for (setting, row) in settings.iter().zip(&mut rows) {
            row.extend(library::figures(setting, "threads", turns, ledgers)?);
        }
    }
    println!(
        "{THREADS} threads, own command buffers, {WORK_NS} ns in each call: millions of calls a second   ({TURNS} processes each)"
    );
    let base = summary(rows[0].clone()).0;
    for (setting, row) in settings.iter().zip(rows) {
        let median = summary(row).0;
        println!(
            "{:<18}{:8.2}   {:5.2} times v2.9's",
            setting.name,
            median / 1e6,
            median / base
        );
    }
    Ok(())
}
