//! `MPSCommandBuffer`: a proxy that owns few methods and forwards the rest to the command buffer it holds.

use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{
    Class, Id, NIL, Sel, allocate, autorelease, class_of, class_respondsToSelector, release,
    retain, send, send_super,
};

/// `MPSCommandBuffer`.
pub static MPS: ClassRef = ClassRef::new();
static COMMAND_BUFFER: Ivar = Ivar::word(c"_commandBuffer", c"@");

/// `MPSCommandBuffer`.
pub fn command_buffer() -> ClassSpec {
    ClassSpec {
        name: c"MPSCommandBuffer",
        superclass: Some(c"NSObject"),
        ivars: vec![&COMMAND_BUFFER],
        methods: vec![
            Method::new(
                c"initWithCommandBuffer:",
                c"@@:@",
                init::<true> as *const (),
            ),
            Method::new(c"commandBuffer", c"@@:", inner::<true> as *const ()),
            Method::new(c"rootCommandBuffer", c"@@:", root::<true> as *const ()),
            Method::new(c"commit", c"v@:", commit::<true> as *const ()),
            Method::new(
                c"commitAndContinue",
                c"v@:",
                commit_and_continue::<true> as *const (),
            ),
            Method::new(
                c"computeCommandEncoderWithDispatchType:",
                c"@@:Q",
                compute_encoder::<true> as *const (),
            ),
            Method::new(
                c"forwardingTargetForSelector:",
                c"@@::",
                forwarding_target::<true> as *const (),
            ),
            Method::new(
                c"respondsToSelector:",
                c"B@::",
                responds_to::<true> as *const (),
            ),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![
            Method::new(
                c"commandBufferFromCommandQueue:",
                c"@@:@",
                from_queue::<true> as *const (),
            ),
            Method::new(
                c"commandBufferWithCommandBuffer:",
                c"@@:@",
                with_command_buffer::<true> as *const (),
            ),
        ],
        registered: &MPS,
    }
}

#[unsafe(export_name = "+[MPSCommandBuffer commandBufferFromCommandQueue:]")]
unsafe extern "C-unwind" fn from_queue<const LOCAL: bool>(class: Class, _: Sel, queue: Id) -> Id {
    // SAFETY: the queue is alive.
    unsafe {
        let command_buffer = send!(queue, "commandBuffer"; Id);
        send!(class, "commandBufferWithCommandBuffer:", command_buffer => Id; Id)
    }
}

#[unsafe(export_name = "+[MPSCommandBuffer commandBufferWithCommandBuffer:]")]
unsafe extern "C-unwind" fn with_command_buffer<const LOCAL: bool>(
    class: Class,
    _: Sel,
    command_buffer: Id,
) -> Id {
    // SAFETY: the command buffer is alive.
    unsafe {
        autorelease(send!(allocate(class), "initWithCommandBuffer:", command_buffer => Id; Id))
    }
}

#[unsafe(export_name = "-[MPSCommandBuffer initWithCommandBuffer:]")]
unsafe extern "C-unwind" fn init<const LOCAL: bool>(this: Id, _: Sel, command_buffer: Id) -> Id {
    // SAFETY: a fresh instance; the command buffer is alive.
    unsafe { COMMAND_BUFFER.store(this, retain(command_buffer)) }
    this
}

#[unsafe(export_name = "-[MPSCommandBuffer commandBuffer]")]
unsafe extern "C-unwind" fn inner<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { COMMAND_BUFFER.load(this) }
}

#[unsafe(export_name = "-[MPSCommandBuffer rootCommandBuffer]")]
unsafe extern "C-unwind" fn root<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { COMMAND_BUFFER.load(this) }
}

#[unsafe(export_name = "-[MPSCommandBuffer commit]")]
unsafe extern "C-unwind" fn commit<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { send!(COMMAND_BUFFER.load(this), "commit"; ()) }
}

/// Commits what is encoded so far and goes on in a fresh command buffer of the same queue. **Our assumption**: in this order, so
/// that an encoder which another thread asks for meanwhile is one of the committed command buffer.
#[unsafe(export_name = "-[MPSCommandBuffer commitAndContinue]")]
unsafe extern "C-unwind" fn commit_and_continue<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class; the reference to the old one is the proxy's.
    unsafe {
        let done: Id = COMMAND_BUFFER.load(this);
        send!(done, "commit"; ());
        let next = send!(send!(done, "commandQueue"; Id), "commandBuffer"; Id);
        COMMAND_BUFFER.store(this, retain(next));
        release(done);
    }
}

#[unsafe(export_name = "-[MPSCommandBuffer computeCommandEncoderWithDispatchType:]")]
unsafe extern "C-unwind" fn compute_encoder<const LOCAL: bool>(
    this: Id,
    _: Sel,
    dispatch_type: usize,
) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe {
        send!(COMMAND_BUFFER.load(this), "computeCommandEncoderWithDispatchType:", dispatch_type => usize; Id)
    }
}

#[unsafe(export_name = "-[MPSCommandBuffer forwardingTargetForSelector:]")]
unsafe extern "C-unwind" fn forwarding_target<const LOCAL: bool>(
    this: Id,
    _: Sel,
    _selector: Sel,
) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { COMMAND_BUFFER.load(this) }
}

#[unsafe(export_name = "-[MPSCommandBuffer respondsToSelector:]")]
unsafe extern "C-unwind" fn responds_to<const LOCAL: bool>(
    this: Id,
    _: Sel,
    selector: Sel,
) -> bool {
    // SAFETY: a method runs on a live instance of its class.
    unsafe {
        let held: Id = COMMAND_BUFFER.load(this);
        [this, held]
            .into_iter()
            .filter(|object| *object != NIL)
            .any(|object| class_respondsToSelector(class_of(object), selector) != 0)
    }
}

#[unsafe(export_name = "-[MPSCommandBuffer dealloc]")]
unsafe extern "C-unwind" fn dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: the last reference is gone; the reference taken out is the proxy's.
    unsafe {
        release(COMMAND_BUFFER.take(this));
        send_super!(this, &MPS, "dealloc"; ());
    }
}
