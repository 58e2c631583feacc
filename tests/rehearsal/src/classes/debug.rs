//! The debug encoder. It has no `_impl` and the dump no factory for it; a dump of a buffer counts as one command.

use super::{command_buffer, encoder};
use crate::impl_pool::Work;
use crate::runtime::class::{ClassRef, ClassSpec, Method};
use crate::runtime::{Id, method};
use std::ffi::{CStr, c_char};

static METAL: ClassRef = ClassRef::new();
static IOGPU: ClassRef = ClassRef::new();
/// `AGXG16XFamilyDebugContext`.
pub static AGX: ClassRef = ClassRef::new();
/// What a dump adds to the checksum, besides the length of its name.
const DUMP: u64 = 0x5_000b;

/// `_MTLDebugCommandEncoder`.
pub fn metal() -> ClassSpec {
    ClassSpec {
        name: c"_MTLDebugCommandEncoder",
        superclass: Some(c"_MTLCommandEncoder"),
        ivars: vec![],
        methods: vec![],
        class_methods: vec![],
        registered: &METAL,
    }
}

/// `IOGPUMetalDebugCommandEncoder`. Like `IOGPUMetalCommandEncoder`, which is none of its superclasses, it tells its command buffer
/// that it has ended.
pub fn iogpu() -> ClassSpec {
    ClassSpec {
        name: c"IOGPUMetalDebugCommandEncoder",
        superclass: Some(c"_MTLDebugCommandEncoder"),
        ivars: vec![],
        methods: vec![Method::new(
            c"endEncoding",
            c"v@:",
            end_encoding::<true> as *const (),
        )],
        class_methods: vec![],
        registered: &IOGPU,
    }
}

/// `AGXG16XFamilyDebugContext`.
pub fn agx() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilyDebugContext",
        superclass: Some(c"IOGPUMetalDebugCommandEncoder"),
        ivars: vec![],
        methods: vec![
            Method::new(c"dumpBuffer:", c"v@:@", dump::<true> as *const ()),
            Method::new(
                c"dumpBuffer:name:",
                c"v@:@r*",
                dump_named::<true> as *const (),
            ),
        ],
        class_methods: vec![],
        registered: &AGX,
    }
}

unsafe fn record(this: Id, checksum: u64) {
    let work = Work {
        dispatches: 1,
        checksum,
    };
    // SAFETY: the callers run methods of a live, open encoder.
    unsafe { command_buffer::append_work(encoder::command_buffer_of(this), work) }
}

method!("-[IOGPUMetalDebugCommandEncoder endEncoding]",
    fn end_encoding(this) { encoder::end(this, &IOGPU) });
method!("-[AGXG16XFamilyDebugContext dumpBuffer:]",
    fn dump(this, _buffer: Id) { record(this, DUMP) });
method!("-[AGXG16XFamilyDebugContext dumpBuffer:name:]",
fn dump_named(this, _buffer: Id, name: *const c_char) {
    record(this, DUMP + CStr::from_ptr(name).count_bytes() as u64);
});
