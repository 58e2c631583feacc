//! Which published faults the driver shows, and the windows in which they strike.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Methods that load `_impl` with neither lock nor test, and the offset at which each then reads or writes.
///
/// Offsets as published for AGXMetalG16X 329.2 (macOS 15.7.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Site {
    /// `setComputePipelineState:`, read at 0x5c8.
    Pipeline = 1,
    /// `prepareForEnqueue(bool)`, read at 0x98.
    Prepare = 2,
    /// `allocateUSCSpillBuffer`, write at 0x184.
    Spill = 4,
    /// `dispatchThreads:threadsPerThreadgroup:`, read at 0x5f4.
    Dispatch = 8,
    /// `setBuffer:offset:atIndex:`, read at 0x3b90.
    Buffer = 16,
    /// `bindResource`, read at 0x1e0.
    Bind = 32,
}

const ALL_SITES: u32 = 63;

/// Sites that read the racing `_impl`; the others use the encoder's private copy and are safe.
static SITES: AtomicU32 = AtomicU32::new(ALL_SITES);
/// `destroyImpl` stores NULL after it has unlocked the pool.
static LATE_STORE: AtomicBool = AtomicBool::new(true);
/// The list of idle encoders owns nothing, and who takes one retains it after unlocking.
static LATE_RETAIN: AtomicBool = AtomicBool::new(false);
/// The GPU faults with too many command buffers in flight.
static GPU_FAULTS: AtomicBool = AtomicBool::new(false);
static SEED: AtomicU64 = AtomicU64::new(1);
static THREADS: AtomicU64 = AtomicU64::new(0);

/// The fewest turns that a window gives away; the most are twice as many.
///
/// A turn is one `sched_yield`, so a window costs nothing where nobody else can run: with a lock around every method it is some
/// microseconds, without one it is long enough for another thread to step in.
#[derive(Clone, Copy)]
pub enum Window {
    /// Between giving an encoder away and the last touch of it.
    Destroy = 16,
    /// Between being handed an encoder and its first use. Without it a thread that shares its processor with the other one
    /// would hold an encoder only while that one cannot run.
    HandOut = 4,
}

/// What a name selects.
struct Selection {
    name: &'static str,
    sites: u32,
    late_store: bool,
    late_retain: bool,
    gpu: bool,
}

const fn racing(name: &'static str, sites: u32) -> Selection {
    Selection {
        name,
        sites,
        late_store: true,
        ..NONE
    }
}

const NONE: Selection = Selection {
    name: "none",
    sites: 0,
    late_store: false,
    late_retain: false,
    gpu: false,
};

/// Names that [`select`] knows, in the order they are documented.
const SELECTIONS: [Selection; 10] = [
    NONE,
    racing("any", ALL_SITES),
    racing("impl", Site::Pipeline as u32),
    racing("setBuffer", Site::Buffer as u32),
    racing("dispatch", Site::Dispatch as u32),
    racing("prepare", Site::Prepare as u32),
    racing("spill", Site::Spill as u32),
    racing("bind", Site::Bind as u32),
    Selection {
        name: "uaf",
        late_retain: true,
        ..NONE
    },
    Selection {
        name: "page-fault",
        gpu: true,
        ..NONE
    },
];

/// Selects a fault by name; false for a name that is not known, and then nothing changes.
pub fn select(name: &str) -> bool {
    let Some(selection) = SELECTIONS.iter().find(|it| it.name == name) else {
        return false;
    };
    SITES.store(selection.sites, Ordering::Relaxed);
    LATE_STORE.store(selection.late_store, Ordering::Relaxed);
    LATE_RETAIN.store(selection.late_retain, Ordering::Relaxed);
    GPU_FAULTS.store(selection.gpu, Ordering::Relaxed);
    true
}

/// Whether the GPU faults with too many command buffers in flight.
pub fn gpu_faults() -> bool {
    GPU_FAULTS.load(Ordering::Relaxed)
}

/// Seeds the windows' lengths. A thread draws from the seed and from its number, counted from the threads' first windows.
pub fn seed(value: u64) {
    SEED.store(value, Ordering::Relaxed);
}

/// Whether `site` reads the racing variable.
pub fn races_at(site: Site) -> bool {
    SITES.load(Ordering::Relaxed) & site as u32 != 0
}

/// Whether `destroyImpl` stores NULL too late.
pub fn stores_late() -> bool {
    LATE_STORE.load(Ordering::Relaxed)
}

/// Whether encoders taken from the idle list are retained too late.
pub fn retains_late() -> bool {
    LATE_RETAIN.load(Ordering::Relaxed)
}

/// A moment between two instructions, made long enough for another thread: some turns given away, and no more once `over`
/// says that the other thread has stepped in.
pub fn wait_in(window: Window, over: impl Fn() -> bool) {
    let fewest = window as u64;
    for _ in 0..fewest + draw() % fewest {
        if over() {
            return;
        }
        std::thread::yield_now();
    }
}

/// The thread's next random number (xorshift64*).
fn draw() -> u64 {
    thread_local!(static STATE: Cell<u64> = const { Cell::new(0) });
    STATE.with(|state| {
        let mut x = state.get();
        if x == 0 {
            let thread = THREADS.fetch_add(1, Ordering::Relaxed) + 1;
            x = SEED
                .load(Ordering::Relaxed)
                .wrapping_add(thread)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                | 1;
        }
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        state.set(x);
        x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
    })
}
