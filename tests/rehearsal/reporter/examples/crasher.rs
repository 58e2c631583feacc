//! Dies in one named way: what the tests of the report writer look at. The command line is `WHERE HOW`.
//!
//! WHERE is `main`, `thread`, `child` (forked, and reaped by a parent that then exits 0), or `grandchild`.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [place, kind] = arguments.as_slice() else {
        eprintln!("usage: crasher main|thread|child|grandchild KIND");
        std::process::exit(2);
    };
    linux::announce();
    linux::crash_in(place, kind);
    std::process::exit(3);
}

#[cfg(target_os = "linux")]
mod linux {
    use std::hint::black_box;
    use std::io::Write;
    use std::sync::mpsc;

    /// Where the published driver faults read: an offset from a null pointer.
    const OFFSET: usize = 0x5c8;

    /// The shape of `CrashReporterClient.h`: version, message, and fields that nobody reads.
    #[repr(C)]
    pub struct Annotations {
        version: u64,
        message: *const std::ffi::c_char,
        rest: [u64; 5],
    }

    // SAFETY: only written before the process aborts, by one thread.
    unsafe impl Sync for Annotations {}

    const SENTENCE: &std::ffi::CStr = c"-[IOGPUMetalCommandBuffer validate]:214: failed assertion";

    /// What the report's `asi` must repeat.
    #[unsafe(export_name = "gCRAnnotations")]
    #[used]
    pub static ANNOTATIONS: Annotations = Annotations {
        version: 5,
        message: SENTENCE.as_ptr(),
        rest: [0; 5],
    };

    /// Tells the parent this process's id, on stdout, before anything happens.
    pub fn announce() {
        println!("pid {}", std::process::id());
        std::io::stdout().flush().expect("stdout");
    }

    pub fn crash_in(place: &str, kind: &str) {
        match place {
            "main" => crash(kind),
            "thread" => {
                let kind = kind.to_owned();
                let thread = std::thread::Builder::new().name("encoder".to_owned());
                let thread = thread.spawn(move || crash(&kind)).expect("a thread");
                thread.join().expect("the thread has crashed");
            }
            "child" => in_child(|| crash(kind)),
            "grandchild" => in_child(|| in_child(|| crash(kind))),
            _ => panic!("no such place: {place}"),
        }
    }

    /// Runs `what` in a forked child and hides its end: this process says 0.
    fn in_child(what: impl FnOnce()) {
        // SAFETY: this program has one thread here.
        match unsafe { libc::fork() } {
            0 => {
                announce();
                what();
                std::process::exit(3);
            }
            child => {
                let mut status = 0;
                // SAFETY: `status` is writable.
                let reaped = unsafe { libc::waitpid(child, &raw mut status, 0) };
                assert_eq!(reaped, child);
                // SAFETY: as above; every child, of whatever exit signal.
                let other = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) };
                assert_eq!(other, -1, "there is a child that nobody made");
                std::process::exit(0);
            }
        }
    }

    fn crash(kind: &str) {
        match kind {
            "read" => read_through_null(),
            "write" => write_somewhere(),
            "call" => call_nowhere(),
            "abort" => validate(),
            "trap" => trap(),
            "divide" => divide(),
            "illegal" => illegal(),
            "bus" => read_past_end_of_file(),
            "overflow" => {
                black_box(recurse(0));
            }
            "raise" => send_to_self(libc::SIGFPE),
            "system" => send_to_self(libc::SIGSYS),
            "own-handler" => {
                install_handler();
                read_through_null();
            }
            "ignored" => {
                // SAFETY: plain call.
                unsafe { libc::signal(libc::SIGABRT, libc::SIG_IGN) };
                send_to_self(libc::SIGABRT);
                std::process::exit(7);
            }
            "threads" => crowd(read_through_null),
            "together" => crowd_crash(),
            "undumpable" => {
                become_unreadable();
                read_through_null();
            }
            "malloc" => abort_inside_malloc(),
            "sigchld" => no_sigchld(),
            "exit-race" => exit_during_a_crash(),
            _ => panic!("no such kind: {kind}"),
        }
    }

    #[unsafe(export_name = "-[AGXG16XFamilyComputeContext setComputePipelineState:]")]
    #[inline(never)]
    extern "C" fn read_through_null() {
        let null = black_box(std::ptr::null::<u8>());
        // SAFETY: none: this is the crash.
        black_box(unsafe { null.wrapping_byte_add(OFFSET).read_volatile() });
    }

    #[inline(never)]
    fn write_somewhere() {
        let wild = black_box(std::ptr::without_provenance_mut::<u8>(0x1234_5678_9abc));
        // SAFETY: none: this is the crash.
        unsafe { wild.write_volatile(1) };
    }

    #[inline(never)]
    fn call_nowhere() {
        let wild = black_box(std::ptr::without_provenance::<()>(0x4141_4140));
        // SAFETY: none: this is the crash.
        let function = unsafe { std::mem::transmute::<*const (), extern "C" fn()>(wild) };
        function();
        black_box(wild);
    }

    #[unsafe(export_name = "-[IOGPUMetalCommandBuffer validate]")]
    #[inline(never)]
    extern "C" fn validate() {
        eprintln!("{}", SENTENCE.to_string_lossy());
        std::process::abort();
    }

    #[inline(never)]
    fn trap() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: none: this is the crash.
        unsafe {
            std::arch::asm!("int3");
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: none: this is the crash.
        unsafe {
            std::arch::asm!("brk #0");
        }
    }

    #[inline(never)]
    fn divide() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: none: this is the crash.
        unsafe {
            std::arch::asm!("div {zero:e}", zero = in(reg) 0, inout("eax") 1 => _, inout("edx") 0 => _);
        }
        // arm64 divides by zero without complaint.
        #[cfg(target_arch = "aarch64")]
        send_to_self(libc::SIGFPE);
    }

    #[inline(never)]
    fn illegal() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: none: this is the crash.
        unsafe {
            std::arch::asm!("ud2");
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: none: this is the crash.
        unsafe {
            std::arch::asm!("udf #0");
        }
    }

    #[inline(never)]
    fn read_past_end_of_file() {
        let file = std::fs::File::open("/proc/self/exe").expect("this program");
        let len = usize::try_from(file.metadata().expect("its size").len()).expect("a size");
        let past = len.next_multiple_of(65536);
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
        // SAFETY: a fresh mapping.
        let mapped = unsafe {
            let (protection, flags) = (libc::PROT_READ, libc::MAP_PRIVATE);
            libc::mmap(std::ptr::null_mut(), past + 65536, protection, flags, fd, 0)
        };
        // SAFETY: none: this is the crash.
        black_box(unsafe { mapped.wrapping_byte_add(past).cast::<u8>().read_volatile() });
    }

    #[inline(never)]
    fn recurse(depth: usize) -> usize {
        let frame = black_box([depth; 64]);
        if black_box(true) {
            recurse(depth + 1) + frame[depth % 64]
        } else {
            depth
        }
    }

    #[inline(never)]
    fn send_to_self(signal: i32) {
        // SAFETY: plain call.
        unsafe { libc::raise(signal) };
    }

    /// Closes this process to debuggers, and takes from its descendants the privilege to look in nevertheless.
    fn become_unreadable() {
        const CAP_SYS_PTRACE: libc::c_ulong = 19;
        // SAFETY: plain calls. The second is refused to a user who has no such privilege, and needs none.
        unsafe {
            assert_eq!(libc::prctl(libc::PR_SET_DUMPABLE, 0), 0);
            libc::prctl(libc::PR_CAPBSET_DROP, CAP_SYS_PTRACE);
        }
    }

    /// The pattern of crash handlers everywhere: say something, put the default back, raise again.
    fn install_handler() {
        extern "C" fn handler(signal: i32) {
            let text = b"own handler\n";
            // SAFETY: both calls are async-signal-safe.
            unsafe {
                libc::write(1, text.as_ptr().cast(), text.len());
                libc::signal(signal, libc::SIG_DFL);
                libc::raise(signal);
            }
        }
        // SAFETY: the handler is async-signal-safe.
        let previous = unsafe { libc::signal(libc::SIGBUS, libc::SIG_DFL) };
        assert_ne!(previous, libc::SIG_ERR);
        // SAFETY: as above.
        unsafe { libc::signal(libc::SIGSEGV, handler as *const () as libc::sighandler_t) };
    }

    /// 64 threads that wait, each under its own name.
    fn crowd(then: extern "C" fn()) {
        let (ready, all_ready) = mpsc::channel();
        for index in 0..64 {
            let ready = ready.clone();
            let body = move || {
                ready.send(()).expect("main listens");
                loop {
                    std::thread::park();
                }
            };
            std::thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(body)
                .expect("a thread");
        }
        assert_eq!(all_ready.iter().take(64).count(), 64);
        then();
    }

    /// Eight threads crash at the same moment.
    fn crowd_crash() {
        let barrier = std::sync::Arc::new(std::sync::Barrier::new(8));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let barrier = barrier.clone();
                std::thread::spawn(move || {
                    barrier.wait();
                    read_through_null();
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("the process has died");
        }
    }

    /// glibc finds a broken block, and aborts from within `free`.
    fn abort_inside_malloc() {
        // SAFETY: none: the second free is the crash.
        unsafe {
            let block = libc::malloc(2048);
            black_box(libc::malloc(64));
            libc::free(black_box(block));
            libc::free(black_box(block));
        }
    }

    /// A child crashes; this process counts the signals and the children it gets.
    fn no_sigchld() {
        static SIGNALS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        extern "C" fn count(_: i32) {
            SIGNALS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
        // SAFETY: the handler is async-signal-safe, and this program has one thread here.
        unsafe {
            libc::signal(libc::SIGCHLD, count as *const () as libc::sighandler_t);
            let child = libc::fork();
            if child == 0 {
                read_through_null();
            }
            let mut status = 0;
            while libc::waitpid(child, &raw mut status, 0) != child {}
            assert!(libc::WIFSIGNALED(status));
        }
        println!(
            "signals {}",
            SIGNALS.load(std::sync::atomic::Ordering::SeqCst)
        );
        std::process::exit(0);
    }

    /// The main thread would end the process with 0 soon after another has crashed.
    fn exit_during_a_crash() {
        static FAULTING: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
        std::thread::spawn(|| {
            FAULTING.store(true, std::sync::atomic::Ordering::SeqCst);
            read_through_null();
        });
        while !FAULTING.load(std::sync::atomic::Ordering::SeqCst) {
            std::thread::yield_now();
        }
        // Longer than a fault takes, shorter than the writer that the test starts.
        std::thread::sleep(std::time::Duration::from_millis(50));
        std::process::exit(0);
    }
}
