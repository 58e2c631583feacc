//! Blocks by their published ABI (clang's "Block Implementation Specification"): what a completion handler is.

use crate::runtime::{self, Id};
use std::ffi::{c_int, c_void};

/// The descriptor is followed by a copy and a dispose helper.
const HAS_COPY_DISPOSE: c_int = 1 << 25;

/// A block literal; what it captured follows it in memory.
#[repr(C)]
pub struct Block {
    /// The block's class.
    pub isa: *const c_void,
    /// Flags of the ABI.
    pub flags: c_int,
    /// Not used.
    pub reserved: c_int,
    /// The code, which takes the block first.
    pub invoke: unsafe extern "C-unwind" fn(*mut Block, Id),
    /// Size and helpers.
    pub descriptor: *const Descriptor,
}

/// What a block's descriptor always holds.
#[repr(C)]
pub struct Descriptor {
    /// Not used.
    pub reserved: usize,
    /// Size of the literal with its captures, in bytes.
    pub size: usize,
}

/// The helpers that follow a descriptor where the flags say so.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Helpers {
    /// Retains what the copy captured.
    pub copy: unsafe extern "C-unwind" fn(*mut c_void, *const c_void),
    /// Releases what the block captured.
    pub dispose: unsafe extern "C-unwind" fn(*const c_void),
}

/// The block's helpers, where it has them.
///
/// # Safety
/// `block` is a block by the ABI.
#[cfg_attr(
    target_vendor = "apple",
    expect(dead_code, reason = "the system copies blocks there")
)]
pub unsafe fn helpers(block: *const Block) -> Option<Helpers> {
    // SAFETY: the flag says that the helpers lie right behind the descriptor.
    unsafe {
        ((*block).flags & HAS_COPY_DISPOSE != 0)
            .then(|| (*block).descriptor.add(1).cast::<Helpers>().read())
    }
}

/// A C function with its context, as a block.
#[repr(C)]
pub struct FunctionBlock {
    block: Block,
    function: unsafe extern "C" fn(Id, *mut c_void),
    context: *mut c_void,
}

#[repr(transparent)]
struct SharedDescriptor(Descriptor);

// SAFETY: the descriptor is only read.
unsafe impl Sync for SharedDescriptor {}

static FUNCTION_DESCRIPTOR: SharedDescriptor = SharedDescriptor(Descriptor {
    reserved: 0,
    size: size_of::<FunctionBlock>(),
});

impl FunctionBlock {
    /// A stack block; whoever keeps it copies it.
    pub fn new(function: unsafe extern "C" fn(Id, *mut c_void), context: *mut c_void) -> Self {
        let block = Block {
            isa: runtime::stack_block_class(),
            flags: 0,
            reserved: 0,
            invoke: call_function,
            descriptor: &raw const FUNCTION_DESCRIPTOR.0,
        };
        Self {
            block,
            function,
            context,
        }
    }

    /// The block as an argument.
    pub fn as_ptr(&self) -> *const Block {
        &raw const self.block
    }
}

unsafe extern "C-unwind" fn call_function(block: *mut Block, argument: Id) {
    // SAFETY: only a `FunctionBlock` has this code.
    unsafe {
        let this = block.cast::<FunctionBlock>();
        ((*this).function)(argument, (*this).context);
    }
}
