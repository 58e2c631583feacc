//! Which methods are hooked, and as what. By name and type alone; never by a chip.

use std::ffi::CStr;

use agx_ledger::Reason;

/// What a class is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// An encoder of any kind: compute, blit, render, parallel render, resource state, acceleration structure, debug.
    Encoder,
    /// A command buffer.
    Buffer,
    /// A forwarding proxy of a command buffer: it retains the real one and passes on what it does not implement.
    Proxy,
}

/// What is to happen around a hooked method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// Encoder: under the lock, with the `_impl` check.
    Work,
    /// Encoder: ends it.
    End,
    /// Encoder or command buffer under construction: under the lock, nothing else.
    Init,
    /// Command buffer under construction: also forgets what was known of its address.
    BufferInit,
    /// Command buffer: under the lock.
    BufferWork,
    /// Command buffer: hands out an encoder.
    Factory,
    /// Command buffer: commits; open encoders are ended first.
    Commit,
    /// As `Commit`, and the command buffer goes on.
    CommitReusable,
    /// As `Commit`, but waits for the GPU: the original runs without the lock.
    CommitBlocking,
    /// Command buffer: `encodeSignalEvent:`; open encoders are ended first.
    Signal,
    /// Command buffer: `encodeWaitForEvent:`; open encoders are ended first.
    Wait,
    /// Command buffer: adds a handler.
    Handler,
    /// Encoder: hands out an encoder of its own command buffer, as a parallel render encoder does.
    SubFactory,
    /// Proxy: commits the real command buffer, and goes on with another one.
    Continue,
    /// Command buffer: the GPU is done with it. Runs the program's handlers on the driver's thread: never under the lock.
    Completion,
    /// Whatever a published version does around it.
    Published,
}

impl Role {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 16] = [
        Self::Work,
        Self::End,
        Self::Init,
        Self::BufferInit,
        Self::BufferWork,
        Self::Factory,
        Self::Commit,
        Self::CommitReusable,
        Self::CommitBlocking,
        Self::Signal,
        Self::Wait,
        Self::Handler,
        Self::SubFactory,
        Self::Continue,
        Self::Completion,
        Self::Published,
    ];
}

const _: () = {
    let mut at = 0;
    while at < Role::ALL.len() {
        assert!(Role::ALL[at] as usize == at, "the list follows the enum");
        at += 1;
    }
};

/// The root of each family, at which hooking stops. Class dumps of macOS 14.6 to 26.4: neither the parallel render encoder
/// nor the software ray-tracing encoder is under `_MTLCommandEncoder`, and Metal 4's classes have roots of their own.
pub const ROOTS: [(&str, Family); 7] = [
    ("_MTLCommandEncoder", Family::Encoder),
    ("_MTLParallelRenderCommandEncoder", Family::Encoder),
    (
        "_MTLSWRaytracingAccelerationStructureCommandEncoder",
        Family::Encoder,
    ),
    ("_MTL4CommandEncoder", Family::Encoder),
    ("_MTLCommandBuffer", Family::Buffer),
    ("_MTL4CommandBuffer", Family::Buffer),
    // MetalPerformanceShaders' proxy is under no root of Metal.
    ("MPSCommandBuffer", Family::Proxy),
];

/// The public protocols by which a class under none of the [`ROOTS`] is known.
pub const PROTOCOLS: [(&CStr, Family); 4] = [
    (c"MTLCommandEncoder", Family::Encoder),
    (c"MTL4CommandEncoder", Family::Encoder),
    (c"MTLCommandBuffer", Family::Buffer),
    (c"MTL4CommandBuffer", Family::Buffer),
];

/// The root of the classes that wrap the driver's objects for validation, capture and counting.
///
/// They are left alone. A call on a wrapper reaches the driver's object, which is hooked; a hook on the wrapper too would
/// count, retain and end each encoder twice, and hold the lock while the wrapper waits for its own.
pub const WRAPPER_ROOT: &str = "MTLToolsObject";
/// The instance variable in which a wrapper keeps what it wraps: by it a wrapper under another root is known.
pub const WRAPPED: &CStr = c"_baseObject";

const REFERENCE_COUNTING: [&str; 12] = [
    "retain",
    "release",
    "autorelease",
    "retainCount",
    "_tryRetain",
    "_isDeallocating",
    "allowsWeakReference",
    "retainWeakReference",
    "retainWithoutReport",
    "copy",
    "copyWithZone:",
    "_setDeallocating",
];

const LIFE_CYCLE: [&str; 5] = ["dealloc", "finalize", "initialize", "load", "_dealloc"];

const INTROSPECTION: [&str; 22] = [
    "class",
    "superclass",
    "self",
    "zone",
    "hash",
    "isEqual:",
    "isProxy",
    "isKindOfClass:",
    "isMemberOfClass:",
    "conformsToProtocol:",
    "respondsToSelector:",
    "description",
    "debugDescription",
    "formattedDescription:",
    "methodForSelector:",
    "methodSignatureForSelector:",
    "forwardInvocation:",
    "forwardingTargetForSelector:",
    "doesNotRecognizeSelector:",
    "performSelector:",
    "performSelector:withObject:",
    "performSelector:withObject:withObject:",
];

/// Verbs with which a method without arguments that returns a value is work all the same.
const VERBS: [&str; 18] = [
    "encode",
    "begin",
    "end",
    "next",
    "commit",
    "dispatch",
    "draw",
    "insert",
    "destroy",
    "deferred",
    "pre",
    "push",
    "pop",
    "flush",
    "reset",
    "enqueue",
    "memoryBarrier",
    "grow",
];

/// Methods that take a format and perhaps more arguments than their encoding says: it does not tell a variadic method, whose
/// arguments would be lost on the stack (Apple's arm64 passes them there).
const FORMATS: [&str; 2] = ["IOLog:", "kprintf:"];

/// Methods that run the program's own handlers: under the lock they could wait for a thread that waits for the lock.
const CALLBACKS: [&str; 3] = [
    "did",
    "executeSynchronizationNotifications",
    "runPerfCounterCallback",
];

/// What to do with a method of a family. `returns` is the first character of its result's type.
///
/// # Errors
/// The rule by which it is left alone.
pub fn decide(family: Family, selector: &str, returns: Option<u8>) -> Result<Role, Reason> {
    if REFERENCE_COUNTING.contains(&selector) {
        return Err(Reason::ReferenceCounting);
    }
    if LIFE_CYCLE.contains(&selector) || selector.starts_with(".cxx_") {
        return Err(Reason::LifeCycle);
    }
    if INTROSPECTION.contains(&selector) {
        return Err(Reason::Introspection);
    }
    // A name says nothing to the driver.
    if selector == "setLabel:" || FORMATS.contains(&selector) {
        return Err(Reason::Bookkeeping);
    }
    match family {
        Family::Encoder => encoder(selector, returns),
        Family::Buffer => buffer(selector, returns),
        Family::Proxy => proxy(selector, returns),
    }
}

/// [`decide`] by a method's whole type encoding.
///
/// # Errors
/// As [`decide`].
pub fn decide_encoded(family: Family, selector: &str, encoding: &[u8]) -> Result<Role, Reason> {
    let returns = encoding
        .iter()
        .find(|it| !matches!(it, b'r' | b'n' | b'N' | b'o' | b'O' | b'R' | b'V' | b'A'));
    decide(family, selector, returns.copied())
}

/// `init`, `initWith...`, `reInit...`: they take an `_impl` from the device's pool, so that they belong under the lock.
fn is_initialiser(selector: &str) -> bool {
    selector == "init" || selector.starts_with("initWith") || selector.starts_with("reInit")
}

fn is_getter(selector: &str, returns: Option<u8>) -> bool {
    let works = VERBS
        .iter()
        .any(|verb| starts_with_word(selector.trim_start_matches('_'), verb));
    !selector.contains(':') && returns != Some(b'v') && !works
}

/// `encodeEndIf` starts with the word `encode`, `encoderCount` does not; nor does `endpoint` with `end`.
fn starts_with_word(selector: &str, word: &str) -> bool {
    selector
        .strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_lowercase()))
}

fn encoder(selector: &str, returns: Option<u8>) -> Result<Role, Reason> {
    if is_initialiser(selector) {
        return Ok(Role::Init);
    }
    let ends = selector.starts_with("endEncoding")
        || selector.starts_with("deferredEndEncoding")
        || selector == "destroyImpl";
    if ends {
        return Ok(Role::End);
    }
    if hands_out_an_encoder(selector, returns) {
        return Ok(Role::SubFactory);
    }
    if is_getter(selector, returns) {
        return Err(Reason::Getter);
    }
    Ok(Role::Work)
}

/// `renderCommandEncoderWithDescriptor:`, `_renderCommandEncoderCommon`, but not `currentCommandEncoder`.
fn hands_out_an_encoder(selector: &str, returns: Option<u8>) -> bool {
    let asks = ["current", "previous", "get", "is", "num"]
        .iter()
        .any(|word| starts_with_word(selector, word));
    returns == Some(b'@') && selector.contains("ommandEncoder") && !asks
}

/// A proxy's calls reach the real command buffer, where they are guarded and counted once.
fn proxy(selector: &str, returns: Option<u8>) -> Result<Role, Reason> {
    match buffer(selector, returns)? {
        Role::Factory => Ok(Role::Factory),
        _ if selector == "commitAndContinue" => Ok(Role::Continue),
        _ => Ok(Role::BufferWork),
    }
}

fn buffer(selector: &str, returns: Option<u8>) -> Result<Role, Reason> {
    if is_initialiser(selector) {
        return Ok(Role::BufferInit);
    }
    if selector.starts_with("waitUntil") {
        return Err(Reason::Blocking);
    }
    if selector.starts_with("didComplete") {
        return Ok(Role::Completion);
    }
    if CALLBACKS
        .iter()
        .any(|word| starts_with_word(selector, word))
    {
        return Err(Reason::Callback);
    }
    if selector.starts_with("commitAndWait") {
        return Ok(Role::CommitBlocking);
    }
    if matches!(
        selector,
        "commitAndReset" | "commitAndHold" | "commitAndContinue"
    ) {
        return Ok(Role::CommitReusable);
    }
    if selector == "commit" || selector.starts_with("commitWith") {
        return Ok(Role::Commit);
    }
    if selector.starts_with("encodeSignalEvent") {
        return Ok(Role::Signal);
    }
    if selector.starts_with("encodeWaitForEvent") {
        return Ok(Role::Wait);
    }
    if matches!(selector, "addCompletedHandler:" | "addScheduledHandler:") {
        return Ok(Role::Handler);
    }
    if hands_out_an_encoder(selector, returns) {
        return Ok(Role::Factory);
    }
    if is_getter(selector, returns) {
        return Err(Reason::Getter);
    }
    Ok(Role::BufferWork)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoders() {
        for (selector, returns, decision) in [
            ("setComputePipelineState:", b'v', Ok(Role::Work)),
            ("encodeEndIf", b'B', Ok(Role::Work)),
            ("nextVirtualSubstream", b'Q', Ok(Role::Work)),
            ("getBufferContentsAtIndex:", b'^', Ok(Role::Work)),
            ("dispatchFlushOnly", b'v', Ok(Role::Work)),
            ("endEncoding", b'v', Ok(Role::End)),
            ("endVirtualSubstream", b'v', Ok(Role::Work)),
            (
                "endEncodingAndRetrieveProgramAddressTable",
                b'@',
                Ok(Role::End),
            ),
            ("deferredEndEncoding:", b'v', Ok(Role::End)),
            ("destroyImpl", b'v', Ok(Role::End)),
            ("initWithCommandBuffer:config:", b'@', Ok(Role::Init)),
            ("reInitWithCommandBuffer:", b'@', Ok(Role::Init)),
            ("dealloc", b'v', Err(Reason::LifeCycle)),
            (".cxx_destruct", b'v', Err(Reason::LifeCycle)),
            ("retain", b'@', Err(Reason::ReferenceCounting)),
            ("description", b'@', Err(Reason::Introspection)),
            ("getDriverUniqueID", b'Q', Err(Reason::Getter)),
            ("device", b'@', Err(Reason::Getter)),
            ("setLabel:", b'v', Err(Reason::Bookkeeping)),
            ("kprintf:", b'v', Err(Reason::Bookkeeping)),
            ("kprintfBytes:length:", b'v', Ok(Role::Work)),
            ("renderCommandEncoder", b'@', Ok(Role::SubFactory)),
            ("_renderCommandEncoderCommon", b'@', Ok(Role::SubFactory)),
            (
                "sampledRenderCommandEncoderWithProgramInfoBuffer:capacity:",
                b'@',
                Ok(Role::SubFactory),
            ),
            ("commandBuffer", b'@', Err(Reason::Getter)),
        ] {
            assert_eq!(
                decide(Family::Encoder, selector, Some(returns)),
                decision,
                "{selector}"
            );
        }
    }

    #[test]
    fn buffers() {
        for (selector, returns, decision) in [
            ("computeCommandEncoder", b'@', Ok(Role::Factory)),
            ("computeCommandEncoderWithConfig:", b'@', Ok(Role::Factory)),
            ("blitCommandEncoderCommon:", b'@', Ok(Role::Factory)),
            ("currentCommandEncoder", b'@', Err(Reason::Getter)),
            ("setCurrentCommandEncoder:", b'v', Ok(Role::BufferWork)),
            ("commit", b'v', Ok(Role::Commit)),
            ("commitWithDeadline:", b'v', Ok(Role::Commit)),
            ("commitEncoder", b'v', Ok(Role::BufferWork)),
            ("commitAndReset", b'v', Ok(Role::CommitReusable)),
            (
                "commitAndWaitUntilSubmittedWithDeadline:",
                b'B',
                Ok(Role::CommitBlocking),
            ),
            ("waitUntilCompleted", b'v', Err(Reason::Blocking)),
            (
                "didCompleteWithStartTime:endTime:error:",
                b'v',
                Ok(Role::Completion),
            ),
            ("didSchedule:error:", b'v', Err(Reason::Callback)),
            ("encodeSignalEvent:value:", b'v', Ok(Role::Signal)),
            ("encodeWaitForEvent:value:timeout:", b'v', Ok(Role::Wait)),
            ("addCompletedHandler:", b'v', Ok(Role::Handler)),
            (
                "initWithQueue:retainedReferences:",
                b'@',
                Ok(Role::BufferInit),
            ),
            ("status", b'Q', Err(Reason::Getter)),
            ("deadline", b'Q', Err(Reason::Getter)),
            ("kernelStartTime", b'd', Err(Reason::Getter)),
        ] {
            assert_eq!(
                decide(Family::Buffer, selector, Some(returns)),
                decision,
                "{selector}"
            );
        }
    }

    #[test]
    fn proxies() {
        for (selector, returns, decision) in [
            (
                "computeCommandEncoderWithDispatchType:",
                b'@',
                Ok(Role::Factory),
            ),
            ("commit", b'v', Ok(Role::BufferWork)),
            ("commitAndContinue", b'v', Ok(Role::Continue)),
            (
                "forwardingTargetForSelector:",
                b'@',
                Err(Reason::Introspection),
            ),
            ("waitUntilCompleted", b'v', Err(Reason::Blocking)),
        ] {
            assert_eq!(
                decide(Family::Proxy, selector, Some(returns)),
                decision,
                "{selector}"
            );
        }
    }

    #[test]
    fn a_qualifier_does_not_hide_the_result() {
        let name = "currentName";
        let decided = decide_encoded(Family::Encoder, name, b"rV^v@:");
        assert_eq!(decided, Err(Reason::Getter));
        assert_eq!(
            decide_encoded(Family::Encoder, name, b"Vv@:"),
            Ok(Role::Work)
        );
    }
}
