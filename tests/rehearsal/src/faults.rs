//! Which published faults the driver shows, and the windows in which they strike.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

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

/// What else the driver does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Flaw {
    /// `destroyImpl` stores NULL after it has unlocked the pool.
    LateStore = 1 << 8,
    /// The list of idle encoders owns nothing, and who takes one retains it after unlocking.
    LateRetain = 1 << 9,
    /// The GPU faults with too many command buffers in flight.
    Gpu = 1 << 10,
    /// Commands of all encoders take what the device has once out of its place, use it, and put it back, without a lock.
    Allocator = 1 << 11,
    /// Commits do the same.
    Submission = 1 << 12,
    /// A command buffer does not own its open encoder: the autorelease pool in which it was made does.
    Unowned = 1 << 13,
}

/// Sites that read the racing `_impl` (the others use the encoder's private copy and are safe), and flaws.
static SELECTED: AtomicU32 = AtomicU32::new(ALL_SITES | Flaw::LateStore as u32);
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
    /// While what the device has once is out of its place.
    TakenOut = 3,
}

const fn racing(sites: u32) -> u32 {
    sites | Flaw::LateStore as u32
}

/// Names that [`select`] knows, in the order they are documented, and what each selects.
const SELECTIONS: [(&str, u32); 13] = [
    ("none", 0),
    ("any", racing(ALL_SITES)),
    ("impl", racing(Site::Pipeline as u32)),
    ("setBuffer", racing(Site::Buffer as u32)),
    ("dispatch", racing(Site::Dispatch as u32)),
    ("prepare", racing(Site::Prepare as u32)),
    ("spill", racing(Site::Spill as u32)),
    ("bind", racing(Site::Bind as u32)),
    ("uaf", Flaw::LateRetain as u32),
    ("page-fault", Flaw::Gpu as u32),
    ("allocator", Flaw::Allocator as u32),
    ("submission", Flaw::Submission as u32),
    ("unowned", Flaw::Unowned as u32),
];

/// Selects a fault by name; false for a name that is not known, and then nothing changes.
pub fn select(name: &str) -> bool {
    let Some((_, selected)) = SELECTIONS.iter().find(|it| it.0 == name) else {
        return false;
    };
    SELECTED.store(*selected, Ordering::Relaxed);
    true
}

/// Whether the driver has this flaw.
pub fn has(flaw: Flaw) -> bool {
    SELECTED.load(Ordering::Relaxed) & flaw as u32 != 0
}

/// Whether the GPU faults with too many command buffers in flight.
pub fn gpu_faults() -> bool {
    has(Flaw::Gpu)
}

/// Seeds the windows' lengths. A thread draws from the seed and from its number, counted from the threads' first windows.
pub fn seed(value: u64) {
    SEED.store(value, Ordering::Relaxed);
}

/// Whether `site` reads the racing variable.
pub fn races_at(site: Site) -> bool {
    SELECTED.load(Ordering::Relaxed) & site as u32 != 0
}

/// Whether `destroyImpl` stores NULL too late.
pub fn stores_late() -> bool {
    has(Flaw::LateStore)
}

/// Whether encoders taken from the idle list are retained too late.
pub fn retains_late() -> bool {
    has(Flaw::LateRetain)
}

/// A moment between two instructions, made long enough for another thread: some turns given away, and no more once `over`
/// says that the other thread has stepped in.
pub fn wait_in(window: Window, over: impl Fn() -> bool) {
    let fewest = window as u64;
    // The shortest window is met with every command: one in four is opened, or a run would be nothing but windows.
    if matches!(window, Window::TakenOut) && !draw().is_multiple_of(4) {
        return;
    }
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
