//! What arming costs: finding and hooking the methods of the rehearsal's driver, on GCC's runtime and Linux.
//!
//! `cargo bench -p agx-fix --bench arm`. The program starts itself again, in turn with the library preloaded and without,
//! and loads the driver, whose constructor registers all classes. It prints the thread's processor time, the ledger's file
//! included, the median and the fastest of both, and what the library adds. (The clock on the wall shows the machine's
//! load: the processes are short.)

#[cfg(target_os = "linux")]
#[path = "../tests/built/mod.rs"]
mod built;

#[cfg(target_os = "linux")]
#[allow(clippy::cast_precision_loss)] // seconds since the thread's start
mod measure {
    use std::ffi::{CString, c_void};
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;
    use std::process::Command;
    use std::{env, io};

    use super::built;

    const LOADS: usize = 101;
    /// In the program that loads the driver, its path.
    const LOAD: &str = "AGX_BENCH_LOAD";

    /// Seconds that this thread has run.
    fn processor_time() -> f64 {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the structure is ours to write.
        let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        assert_eq!(failed, 0, "every thread has this clock");
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    }

    /// Loads the driver, and prints the microseconds that took and the number of hooks.
    fn load(driver: &Path) {
        let path = CString::new(driver.as_os_str().as_bytes()).expect("no NUL in a path");
        let start = processor_time();
        // SAFETY: the driver's constructor registers classes and nothing else.
        let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        let took = processor_time() - start;
        assert!(!library.is_null(), "the driver cannot be loaded");
        // SAFETY: the name ends in NUL; the function, where it exists, has this type.
        let hooks = unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, c"agx_fix_hook_count".as_ptr());
            if found.is_null() {
                0
            } else {
                std::mem::transmute::<*mut c_void, extern "C" fn() -> u64>(found)()
            }
        };
        println!("{} {hooks}", took * 1e6);
    }

    fn one(driver: &Path, library: Option<&Path>, ledgers: &Path) -> io::Result<(f64, u64)> {
        let mut command = Command::new(env::current_exe()?);
        command.env(LOAD, driver).env("AGX_FIX_LEDGER_DIR", ledgers);
        if let Some(library) = library {
            command.env("LD_PRELOAD", library);
        }
        let output = command.output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut fields = text.split_whitespace();
        let time = fields.next().and_then(|it| it.parse().ok());
        let hooks = fields.next().and_then(|it| it.parse().ok());
        time.zip(hooks)
            .ok_or_else(|| io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
    }

    /// Median and fastest.
    fn summary(mut times: Vec<f64>) -> (f64, f64) {
        times.sort_by(f64::total_cmp);
        (times[times.len() / 2], times[0])
    }

    pub fn run() -> io::Result<()> {
        if let Some(driver) = env::var_os(LOAD) {
            load(Path::new(&driver));
            return Ok(());
        }
        let (library, driver) = (built::library(), built::product("libagx_rehearsal.so"));
        let ledgers = tempfile::TempDir::new()?;
        let (mut without, mut with, mut hooks) = (Vec::new(), Vec::new(), 0);
        for _ in 0..LOADS {
            without.push(one(&driver, None, ledgers.path())?.0);
            let (time, count) = one(&driver, Some(&library), ledgers.path())?;
            with.push(time);
            hooks = count;
        }
        let (without, with) = (summary(without), summary(with));
        println!("loading the driver, us   median  fastest   ({LOADS} processes each)");
        println!("without the library    {:8.0} {:8.0}", without.0, without.1);
        println!("with it                {:8.0} {:8.0}", with.0, with.1);
        println!(
            "added, for {hooks} hooks  {:8.0} {:8.0}",
            with.0 - without.0,
            with.1 - without.1
        );
        Ok(())
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    if let Err(error) = measure::run() {
        eprintln!("the benchmark cannot run: {error}");
        std::process::exit(1);
    }
}
