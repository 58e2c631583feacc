//! What a hook costs: a message to a method that is hooked against one to a method that is not, on GCC's runtime.
//!
//! `cargo bench -p agx-fix`. The program starts itself again with the library preloaded and prints nanoseconds for each
//! message: the median of the rounds, and the fastest.

#[cfg(target_os = "linux")]
#[path = "../tests/hooks/objc.rs"]
#[allow(dead_code)] // the tests use more of it
mod objc;

#[cfg(target_os = "linux")]
mod measure {
    use std::ffi::{CStr, c_void};
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;
    use std::time::Instant;
    use std::{env, fs, io, ptr};

    use super::objc::{Builder, Id, Sel, instance, ivar, lookup, selector};

    const MESSAGES: u32 = 2_000_000;
    const ROUNDS: usize = 15;

    extern "C-unwind" fn add(_: Id, _: Sel, value: u64) -> u64 {
        value + 1
    }

    extern "C-unwind" fn same(this: Id, _: Sel) -> Id {
        this
    }

    fn message(object: Id, name: &CStr) -> f64 {
        let selector = selector(name);
        let start = Instant::now();
        let mut value = 0;
        for _ in 0..MESSAGES {
            // SAFETY: `add` has this type.
            value = unsafe {
                let code: unsafe extern "C-unwind" fn(Id, Sel, u64) -> u64 =
                    lookup(object, selector);
                code(object, selector, value)
            };
        }
        assert_eq!(value, u64::from(MESSAGES), "every message arrived");
        start.elapsed().as_secs_f64() * 1e9 / f64::from(MESSAGES)
    }

    /// Median and fastest.
    fn summary(mut rounds: Vec<f64>) -> (f64, f64) {
        rounds.sort_by(f64::total_cmp);
        (rounds[rounds.len() / 2], rounds[0])
    }

    fn measure() {
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
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            without.push(message(plain, c"add:"));
            with.push(message(hooked, c"add:"));
        }
        let (without, with) = (summary(without), summary(with));
        println!("ns per message      median  fastest   ({ROUNDS} rounds of {MESSAGES})");
        println!("unhooked          {:8.2} {:8.2}", without.0, without.1);
        println!("hooked            {:8.2} {:8.2}", with.0, with.1);
        println!(
            "added by the hook {:8.2} {:8.2}",
            with.0 - without.0,
            with.1 - without.1
        );
    }

    pub fn main() -> io::Result<()> {
        if env::var_os("AGX_BENCH_FOLDER").is_some() {
            measure();
            return Ok(());
        }
        let program = env::current_exe()?;
        let library = program.with_file_name("libagx_fix.so");
        let folder = env::temp_dir().join(format!("agx-fix-bench-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let status = Command::new(&program)
            .arg0("bench")
            .env("AGX_BENCH_FOLDER", "1")
            .env("AGX_FIX_LEDGER_DIR", &folder)
            .env("LD_PRELOAD", &library)
            .status();
        fs::remove_dir_all(&folder)?;
        if status?.success() {
            Ok(())
        } else {
            Err(io::Error::other("the measured process failed"))
        }
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
