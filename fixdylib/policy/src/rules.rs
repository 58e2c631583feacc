//! Which methods are hooked, and as what. By name and type alone; never by a chip.

use agx_ledger::Reason;

/// What a class is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Under `_MTLCommandEncoder`.
    Encoder,
    /// Under `_MTLCommandBuffer`, or a proxy of one.
    Buffer,
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
    /// Whatever a published version does around it.
    Published,
}

/// The root of each family, at which hooking stops.
pub const ROOTS: [(&str, Family); 2] = [
    ("_MTLCommandEncoder", Family::Encoder),
    ("_MTLCommandBuffer", Family::Buffer),
];

/// A forwarding proxy of MetalPerformanceShaders that is under no Metal root.
pub const PROXY: &str = "MPSCommandBuffer";

/// A class with this superclass is a compute encoder.
pub const COMPUTE_BASE: &str = "IOGPUMetalComputeCommandEncoder";
/// A class with this method is a compute encoder.
pub const COMPUTE_METHOD: &str = "setComputePipelineState:";

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
    if selector == "setLabel:" {
        return Err(Reason::Bookkeeping);
    }
    match family {
        Family::Encoder => encoder(selector, returns),
        Family::Buffer => buffer(selector, returns),
    }
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
    if is_getter(selector, returns) {
        return Err(Reason::Getter);
    }
    Ok(Role::Work)
}

fn buffer(selector: &str, returns: Option<u8>) -> Result<Role, Reason> {
    if is_initialiser(selector) {
        return Ok(Role::BufferInit);
    }
    if selector.starts_with("waitUntil") {
        return Err(Reason::Blocking);
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
    let asks = ["current", "previous", "get", "is", "num"]
        .iter()
        .any(|word| starts_with_word(selector, word));
    if returns == Some(b'@') && selector.contains("ommandEncoder") && !asks {
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
                Err(Reason::Callback),
            ),
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
}
