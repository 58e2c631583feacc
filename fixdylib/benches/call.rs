//! What the library costs, on GCC's runtime and Linux.
//!
//! `cargo bench -p agx-fix`. The program starts itself again with the library preloaded. It prints what a message to a
//! hooked method takes against one to a method that is not, in interleaved short rounds (the median, the fastest, and the
//! count of instructions where valgrind is installed); what it takes when two threads send at once; and what
//! the library adds to a process without Metal, in time and in memory.

#[cfg(target_os = "linux")]
#[path = "../tests/hooks/objc.rs"]
#[allow(dead_code)] // the tests use more of it
mod objc;

#[cfg(target_os = "linux")]
mod measure {
    use std::ffi::{CStr, c_void};
    use std::os::unix::process::CommandExt as _;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::time::Instant;
    use std::{env, fs, io, ptr};

    use super::objc::{Builder, Id, Sel, instance, ivar, lookup, selector};

    /// Short enough that most rounds pass undisturbed.
    const MESSAGES: u32 = 20_000;
    const ROUNDS: usize = 601;
    const CONTENDED: u32 = 200_000;
    const COUNTED: u32 = 20_000;
    const STARTS: usize = 201;

    extern "C-unwind" fn add(_: Id, _: Sel, value: u64) -> u64 {
        value + 1
    }

    extern "C-unwind" fn same(this: Id, _: Sel) -> Id {
        this
    }

    fn message(object: Id, name: &CStr) -> f64 {
        messages(object, name, MESSAGES)
    }

    /// Nanoseconds of each of so many messages.
    fn messages(object: Id, name: &CStr, count: u32) -> f64 {
        let selector = selector(name);
        let start = Instant::now();
        let mut value = 0;
        for _ in 0..count {
            // SAFETY: `add` has this type.
            value = unsafe {
                let code: unsafe extern "C-unwind" fn(Id, Sel, u64) -> u64 =
                    lookup(object, selector);
                code(object, selector, value)
            };
        }
        assert_eq!(value, u64::from(count), "every message arrived");
        start.elapsed().as_secs_f64() * 1e9 / f64::from(count)
    }

    /// Median and fastest.
    fn summary(mut rounds: Vec<f64>) -> (f64, f64) {
        rounds.sort_by(f64::total_cmp);
        (rounds[rounds.len() / 2], rounds[0])
    }

    /// An object whose method `add:` is not hooked, and one whose is.
    fn objects() -> (Id, Id) {
        let plain = Builder::new("Plain", "")
            .method("add:", "Q24@0:8Q16", add as *const c_void)
            .register();
        Builder::new("BenchRoot", "")
            .method("retain", "@16@0:8", same as *const c_void)
            .method("release", "v16@0:8", same as *const c_void)
            .register();
        Builder::new("_MTLCommandEncoder", "BenchRoot").register();
        let encoder = Builder::new("AGXBenchComputeContext", "_MTLCommandEncoder")
            .ivar("_impl")
            .method(
                "setComputePipelineState:",
                "v24@0:8@16",
                same as *const c_void,
            )
            .method("endEncoding", "v16@0:8", same as *const c_void)
            .method("add:", "Q24@0:8Q16", add as *const c_void)
            .register();
        let (plain, hooked) = (instance(plain), instance(encoder));
        // SAFETY: the variable is the object's.
        unsafe { ivar(encoder, hooked, c"_impl").write(ptr::dangling_mut()) };
        // SAFETY: the name ends in NUL; the function, where it exists, has this type.
        let hooks = unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, c"agx_fix_hook_count".as_ptr());
            assert!(!found.is_null(), "the library was not preloaded");
            std::mem::transmute::<*mut c_void, extern "C" fn() -> u64>(found)()
        };
        assert_eq!(
            hooks, 3,
            "add:, setComputePipelineState: and endEncoding are hooked"
        );
        (plain, hooked)
    }

    fn measure() {
        let (plain, hooked) = objects();
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            without.push(message(plain, c"add:"));
            with.push(message(hooked, c"add:"));
        }
        let (without, with) = (summary(without), summary(with));
        println!("one message, ns     median  fastest   ({ROUNDS} rounds of {MESSAGES})");
        println!("unhooked          {:8.2} {:8.2}", without.0, without.1);
        println!("hooked            {:8.2} {:8.2}", with.0, with.1);
        println!(
            "added by the hook {:8.2} {:8.2}",
            with.0 - without.0,
            with.1 - without.1
        );
        println!(
            "two threads at once, each message {:.0} ns",
            contended(hooked)
        );
    }

    /// Instructions of one message to `whom`, counted by valgrind in processes that send many and none.
    fn instructions(program: &Path, folder: &Path, whom: &str) -> io::Result<f64> {
        let total = |count: u32| -> io::Result<f64> {
            let output = Command::new("valgrind")
                .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
                .arg(program)
                .envs([
                    ("AGX_BENCH_ROLE", whom),
                    ("AGX_BENCH_COUNT", &count.to_string()),
                ])
                .env("AGX_FIX_LEDGER_DIR", folder)
                .env("LD_PRELOAD", program_library())
                .output()?;
            String::from_utf8_lossy(&output.stderr)
                .lines()
                .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
                .ok_or_else(|| io::Error::other("valgrind counted nothing"))
        };
        Ok((total(COUNTED)? - total(0)?) / f64::from(COUNTED))
    }

    fn print_instructions(program: &Path, folder: &Path) -> io::Result<()> {
        match instructions(program, folder, "unhooked") {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                println!("one message, instructions: valgrind is not installed");
            }
            Err(error) => return Err(error),
            Ok(without) => {
                let with = instructions(program, folder, "hooked")?;
                println!(
                    "one message, instructions: {without:.0} unhooked, {with:.0} hooked, {:.0} added",
                    with - without
                );
            }
        }
        Ok(())
    }

    /// The wall time of one message when two threads send to one object.
    fn contended(object: Id) -> f64 {
        let object = object as usize;
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(move || {
                    for _ in 0..CONTENDED / MESSAGES {
                        message(object as Id, c"add:");
                    }
                });
            }
        });
        start.elapsed().as_secs_f64() * 1e9 / f64::from(2 * CONTENDED)
    }

    /// The program with the library preloaded.
    fn preloaded(program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("AGX_FIX_LEDGER_DIR", folder)
            .env("LD_PRELOAD", program_library());
        command
    }

    fn program_library() -> PathBuf {
        env::current_exe()
            .expect("a path")
            .with_file_name("libagx_fix.so")
    }

    /// What the library adds to `true`, in milliseconds of wall time, and to a program that says what it holds, in KiB.
    fn without_metal(program: &Path, folder: &Path) -> io::Result<()> {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        let time = |command: &mut Command| {
            let start = Instant::now();
            command
                .status()
                .map(|_| start.elapsed().as_secs_f64() * 1e3)
        };
        for _ in 0..STARTS {
            without.push(time(&mut Command::new("/bin/true"))?);
            with.push(time(
                Command::new("/bin/true")
                    .env("AGX_FIX_LEDGER_DIR", folder)
                    .env("LD_PRELOAD", program_library()),
            )?);
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
            let output = command.env("AGX_BENCH_ROLE", "hold").output()?;
            String::from_utf8_lossy(&output.stdout)
                .trim()
                .parse()
                .map_err(io::Error::other)
        };
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for _ in 0..9 {
            without.push(held(&mut Command::new(program))?);
            with.push(held(&mut preloaded(program, folder))?);
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
    fn hold() -> io::Result<()> {
        let text = fs::read_to_string("/proc/self/smaps_rollup")?;
        let share = text
            .lines()
            .find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB"))
            .ok_or_else(|| io::Error::other("the kernel gives no Pss"))?;
        println!("{share}");
        Ok(())
    }

    pub fn main() -> io::Result<()> {
        match env::var("AGX_BENCH_ROLE").as_deref() {
            Ok("messages") => {
                measure();
                return Ok(());
            }
            Ok("hold") => return hold(),
            Ok(whom @ ("unhooked" | "hooked")) => {
                let (plain, hooked) = objects();
                let count = env::var("AGX_BENCH_COUNT")
                    .ok()
                    .and_then(|count| count.parse().ok())
                    .ok_or_else(|| io::Error::other("AGX_BENCH_COUNT is not a number"))?;
                messages(
                    if whom == "hooked" { hooked } else { plain },
                    c"add:",
                    count,
                );
                return Ok(());
            }
            _ => {}
        }
        let program = env::current_exe()?;
        let folder = env::temp_dir().join(format!("agx-fix-bench-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let measured = preloaded(&program, &folder)
            .arg0("bench")
            .env("AGX_BENCH_ROLE", "messages")
            .status()
            .and_then(|status| {
                if !status.success() {
                    return Err(io::Error::other("the measured process failed"));
                }
                print_instructions(&program, &folder)?;
                without_metal(&program, &folder)
            });
        fs::remove_dir_all(&folder)?;
        measured
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    measure::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the library is measured on GCC's runtime, on Linux");
}
