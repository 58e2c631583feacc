//! Pseudo-random values that a method's types allow, and that betray a misplaced register or stack slot.
//!
//! Numbers have random bits. Whatever a hook may look behind is real: objects are alive, pointers lead to readable memory.

use super::encoding::Type;
use crate::block::FunctionBlock;
use crate::runtime::{Id, allocate, objc_lookUpClass, sel_registerName};
use std::ffi::{CStr, c_void};
use std::sync::OnceLock;

/// Bytes that random pointers lead into. They are zero.
const SCRATCH_BYTES: usize = 0x1_0000;
/// Objects that stand for any object.
const OBJECTS: usize = 16;

/// What arguments and results point at; it lives as long as the process.
struct World {
    scratch: Vec<u64>,
    objects: Vec<usize>,
    class: usize,
    selectors: Vec<usize>,
    block: Box<FunctionBlock>,
}

// SAFETY: everything here is made once and then only read; the block's function keeps nothing.
unsafe impl Send for World {}
// SAFETY: as above.
unsafe impl Sync for World {}

unsafe extern "C" fn ignore(_: Id, _: *mut c_void) {}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        // SAFETY: the root class stands when the driver is loaded; the names are C strings.
        unsafe {
            let class = objc_lookUpClass(c"NSObject".as_ptr());
            World {
                scratch: vec![0; SCRATCH_BYTES / size_of::<u64>()],
                objects: (0..OBJECTS)
                    .map(|_| allocate(class).expose_provenance())
                    .collect(),
                class: class.expose_provenance(),
                selectors: [c"init", c"label", c"device", c"setLabel:"]
                    .map(|name| sel_registerName(name.as_ptr()).expose_provenance())
                    .to_vec(),
                block: Box::new(FunctionBlock::new(ignore, std::ptr::null_mut())),
            }
        }
    })
}

/// Readable memory for an `_impl` that nothing but a NULL test looks at.
pub fn stand_in_for_impl() -> *const u8 {
    world().scratch.as_ptr().cast()
}

/// A sequence of random numbers (splitmix64).
pub struct Random(u64);

impl Random {
    /// The sequence of a seed and a method: the same in every process.
    pub fn new(seed: u64, class: &CStr, selector: &CStr) -> Self {
        let mut state = seed ^ 0x6a09_e667_f3bc_c908;
        for byte in class.to_bytes_with_nul().iter().chain(selector.to_bytes()) {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self(state)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn pick(&mut self, from: &[usize]) -> u64 {
        from[usize::try_from(self.next() % from.len() as u64).unwrap_or(0)] as u64
    }

    /// The bytes of a value of this type; padding is zero.
    pub fn value(&mut self, kind: &Type) -> Vec<u8> {
        let (size, _) = kind.layout();
        let mut bytes = vec![0; size];
        for (at, code, size) in kind.scalars() {
            let word = self.scalar(code).to_le_bytes();
            bytes[at..at + size].copy_from_slice(&word[..size]);
        }
        bytes
    }

    fn scalar(&mut self, code: u8) -> u64 {
        let world = world();
        match code {
            b'B' => self.next() & 1,
            b'@' => self.pick(&world.objects),
            b'#' => world.class as u64,
            b':' => self.pick(&world.selectors),
            b'?' => world.block.as_ptr().expose_provenance() as u64,
            b'^' | b'*' => {
                let offset = (self.next() % (SCRATCH_BYTES as u64 / 2)) & !7;
                world.scratch.as_ptr().expose_provenance() as u64 + offset
            }
            // A quiet NaN's and a signalling one's bits are moved like any others, so that all patterns will do.
            _ => self.next(),
        }
    }
}
