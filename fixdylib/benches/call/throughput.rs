//! Calls a second of eight threads with a command buffer and an encoder each, where the driver computes in each call.
//!
//! The machine may be busy with other things, and change from one second to the next. So each setting has a process that
//! lives as long as the measurement, the processes take turns with rounds of a few hundredths of a second, and a setting is
//! compared with v2.9 round by round. What the same threads reach on methods that are not hooked is the most that can be had.

use std::io::{self, BufRead as _};
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::driver;
use crate::library::{self, Setting, V2_9, V3, V3_BUFFER, Worker, summary};
use crate::objc::Id;

const THREADS: usize = 8;
/// What the driver's method takes.
const WORK_NS: f64 = 200.0;
const LASTS: Duration = Duration::from_millis(60);
const ROUNDS: usize = 41;
/// Messages between two looks at the clock's flag.
const BATCH: u32 = 100;

/// In a process of its own: turns of the method's loop that take [`WORK_NS`].
pub fn calibrate() {
    const TURNS: u64 = 1000;
    driver::register(TURNS);
    let plain = driver::unhooked();
    let fastest = (0..10_001)
        .map(|_| {
            let start = Instant::now();
            driver::messages(plain, BATCH);
            start.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH)
        })
        .fold(f64::INFINITY, f64::min);
    println!("{}", (TURNS as f64 * WORK_NS / fastest).round());
}

/// Seconds of processor time that this process has had.
fn processor_seconds() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for a write, and the clock is one that every Linux has.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// What the threads share.
struct Rounds {
    /// All threads and the one that measures meet here, before a round and after it.
    gate: Barrier,
    stop: AtomicBool,
    over: AtomicBool,
    calls: AtomicU64,
}

impl Rounds {
    /// One of the threads.
    fn send(&self, object: Id) {
        loop {
            self.gate.wait();
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            while !self.stop.load(Ordering::Relaxed) {
                driver::messages(object, BATCH);
                self.calls.fetch_add(u64::from(BATCH), Ordering::Relaxed);
            }
            self.gate.wait();
        }
    }

    /// Calls a second of all threads, and how many processors they had.
    fn measure(&self) -> (f64, f64) {
        self.calls.store(0, Ordering::Relaxed);
        self.stop.store(false, Ordering::Relaxed);
        self.gate.wait();
        let (began, used) = (Instant::now(), processor_seconds());
        std::thread::sleep(LASTS);
        let (calls, took) = (self.calls.load(Ordering::Relaxed), began.elapsed());
        let used = processor_seconds() - used;
        self.stop.store(true, Ordering::Relaxed);
        self.gate.wait();
        let took = took.as_secs_f64();
        (calls as f64 / took, used / took)
    }
}

/// In the measured process: prints the two figures of a round for each line that it reads.
pub fn measure(hooked: bool) -> io::Result<()> {
    driver::register(library::count()?);
    let rounds = Rounds {
        gate: Barrier::new(THREADS + 1),
        stop: AtomicBool::new(false),
        over: AtomicBool::new(false),
        calls: AtomicU64::new(0),
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let object = if hooked {
                driver::encoder()
            } else {
                driver::unhooked()
            } as usize;
            let rounds = &rounds;
            scope.spawn(move || rounds.send(object as Id));
        }
        let answered = io::stdin().lock().lines().try_for_each(|line| {
            line?;
            let (rate, processors) = rounds.measure();
            println!("{rate} {processors}");
            Ok(())
        });
        rounds.over.store(true, Ordering::Relaxed);
        rounds.gate.wait();
        answered
    })
}

/// A row of the table, with its rounds.
struct Row {
    name: &'static str,
    worker: Worker,
    rates: Vec<f64>,
    processors: Vec<f64>,
}

impl Row {
    fn start(
        name: &'static str,
        setting: &Setting,
        role: &str,
        turns: u64,
        ledgers: &Path,
    ) -> io::Result<Self> {
        Ok(Self {
            name,
            worker: Worker::start(setting, role, turns, ledgers)?,
            rates: Vec::new(),
            processors: Vec::new(),
        })
    }

    fn measure(&mut self) -> io::Result<()> {
        let figures = self.worker.ask()?;
        let [rate, processors] = figures[..] else {
            return Err(io::Error::other("the measured process printed less"));
        };
        self.rates.push(rate);
        self.processors.push(processors);
        Ok(())
    }

    /// Its rates in those of another row, round by round.
    fn against<'a>(&'a self, other: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        self.rates.iter().zip(other).map(|(it, other)| it / other)
    }
}

/// Median and greatest.
fn best(figures: impl Iterator<Item = f64>) -> (f64, f64) {
    let (median, least) = summary(figures.map(|it| -it).collect());
    (-median, -least)
}

/// Measures, and prints the table.
pub fn report(ledgers: &Path) -> io::Result<()> {
    let turns = library::figures(&V3, "calibrate", 0, ledgers)?[0] as u64;
    let mut rows = vec![Row::start(
        "unhooked",
        &V3,
        "plain threads",
        turns,
        ledgers,
    )?];
    for setting in [&V2_9, &V3, &V3_BUFFER] {
        rows.push(Row::start(
            setting.name,
            setting,
            "threads",
            turns,
            ledgers,
        )?);
    }
    for _ in 0..ROUNDS {
        for row in &mut rows {
            row.measure()?;
        }
    }
    println!(
        "{THREADS} threads, own command buffers, {WORK_NS} ns in each call   ({ROUNDS} rounds of {} ms each, in turns)",
        LASTS.as_millis()
    );
    println!(
        "millions a second   median     best   processors   of unhooked   times v2.9's: median     best"
    );
    let (ceiling, base) = (rows[0].rates.clone(), rows[1].rates.clone());
    for row in rows {
        let (median, most) = best(row.rates.iter().copied());
        let processors = best(row.processors.iter().copied()).0;
        let share = best(row.against(&ceiling)).0;
        let (times, most_times) = best(row.against(&base));
        println!(
            "{:<18}{:8.2} {:8.2}     {processors:8.2}      {share:8.2}                {times:8.2} {most_times:8.2}",
            row.name,
            median / 1e6,
            most / 1e6,
        );
        row.worker.end()?;
    }
    Ok(())
}
