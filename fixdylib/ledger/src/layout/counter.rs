//! The counters, by name and place.

macro_rules! counters {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The counters that the library of this version keeps.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(usize)]
        pub enum Counter { $($(#[$doc])* $variant,)* }

        impl Counter {
            /// All of them, in the order of the file.
            pub const ALL: &'static [Counter] = &[$(Counter::$variant,)*];

            /// Name in the file.
            pub const fn name(self) -> &'static str {
                match self { $(Counter::$variant => $name,)* }
            }
        }
    };
}

counters! {
    /// Calls of hooked methods. In the file: those of threads without a ring; the reader adds the rings' own.
    MethodCalls = "method_calls",
    /// Encoders tracked and retained: handed out by factories, or adopted.
    EncodersCreated = "encoders_created",
    /// Tracked encoders whose retain was given back.
    EncodersReleased = "encoders_released",
    /// Encoders that were first seen in a work call.
    EncodersAdopted = "encoders_adopted",
    /// Encoder objects that a factory handed out a second time.
    EncodersReused = "encoders_reused",
    /// Encoders that are retained now: created and not released. At the exit: left without an end, and never seen again.
    EncodersOpen = "encoders_open",
    /// Encoders that only this library still held, open, when their command buffer was asked for another; given back.
    EncodersAbandoned = "encoders_abandoned",
    /// Work calls that were not made because the encoder's `_impl` was NULL.
    NullImplSkips = "null_impl_skips",
    /// Work calls on an encoder that had ended; they are passed on.
    CallsAfterEnd = "calls_after_end",
    /// Commits of any kind.
    Commits = "commits",
    /// Encoders that were open at a commit and were ended by the library.
    CommitForcedEnds = "commit_forced_ends",
    /// Commits of a command buffer that was committed before.
    CommitAfterCommit = "commit_after_commit",
    /// Completion handlers added after the commit.
    HandlerAfterCommit = "handler_after_commit",
    /// `encodeSignalEvent:` calls of any kind.
    EventSignals = "event_signals",
    /// `encodeWaitForEvent:` calls of any kind.
    EventWaits = "event_waits",
    /// Encoders that were open at an event and were ended by the library.
    EventForcedEnds = "event_forced_ends",
    /// Outermost acquisitions of a lock. In the file: those of threads without a ring; the reader adds the rings' own.
    LockAcquisitions = "lock_acquisitions",
    /// Acquisitions that had to wait.
    LockContentions = "lock_contentions",
    /// Methods hooked.
    HooksInstalled = "hooks_installed",
    /// Methods that should be hooked and are not.
    HooksUnhooked = "hooks_unhooked",
    /// Classes looked at.
    ClassesSeen = "classes_seen",
    /// Times that the runtime's list of classes was gone through.
    ClassScans = "class_scans",
    /// Classes hooked.
    ClassesHooked = "classes_hooked",
    /// Calls of threads for which there was no ring: counted, their events dropped.
    DroppedEvents = "dropped_events",
    /// Calls that met something unexpected and were passed on untouched.
    PassedUntouched = "passed_untouched",
    /// Work calls that a published policy did not make because it had not tracked the encoder.
    DroppedUntracked = "dropped_untracked",
    /// Work calls that a published policy did not make because the encoder had ended or was destroyed.
    DroppedEnded = "dropped_ended",
    /// `destroyImpl` calls that a published policy did not make.
    DestroysBlocked = "destroys_blocked",
    /// Work calls on untracked encoders that a published policy passed on.
    UntrackedCalls = "untracked_calls",
    /// Releases that waited for the last call inside the encoder.
    DeferredReleases = "deferred_releases",
    /// Encoders that factories of the driver's command buffers handed out.
    AgxEncoderCreates = "agx_encoder_creates",
    /// Encoders that factories of `MPSCommandBuffer` handed out.
    MpsEncoderCreates = "mps_encoder_creates",
    /// Parallel render encoders handed out.
    ParallelEncoderCreates = "parallel_encoder_creates",
    /// `commitAndContinue` calls.
    CommitAndContinues = "commit_and_continues",
    /// Events that waited for an encoder that another thread had open.
    EventEncoderWaits = "event_encoder_waits",
    /// Of those, the ones that went on at the end of their limit, the encoder still open.
    EventWaitTimeouts = "event_wait_timeouts",
    /// Commits that waited because as many command buffers were in flight as are allowed.
    ThrottleWaits = "throttle_waits",
    /// Of those, the ones that went on at the end of their limit.
    ThrottleLetThrough = "throttle_let_through",
    /// The most command buffers that were in flight at once, as far as the throttle counts them.
    InFlightMost = "in_flight_most",
    /// Waits for the lock longer than `AGX_FIX_LOCK_WARN_MS`.
    LockLongWaits = "lock_long_waits",
    /// Waits for the lock longer than `AGX_FIX_LOCK_TIMEOUT_MS`.
    LockTimeouts = "lock_timeouts",
    /// Longest wait for the lock, in milliseconds.
    LockMaxWaitMs = "lock_max_wait_ms",
    /// Calls that went on without a second lock, because waiting for it could have been a deadlock.
    LockOrderEscapes = "lock_order_escapes",
    /// Hooked calls on something that is no object of the hook's class: passed on untouched.
    OddReceivers = "odd_receivers",
    /// Hooks that were found replaced by somebody else's code.
    HooksReplaced = "hooks_replaced",
    /// Panics of the library's own code that were caught.
    CaughtPanics = "caught_panics",
    /// Hooked methods that the census looked at, at the exit (`AGX_FIX_CENSUS`). Those that [`Self::HooksReplaced`] counts are
    /// among them.
    CensusMethods = "census_methods",
    /// Classes that the census looked at: hooked ones, and those below them.
    CensusClasses = "census_classes",
    /// Methods that the census found past the hooks: they came after their class was gone through, stand in a class that was
    /// never announced, or in one that a published version's list does not reach.
    CensusLate = "census_late",
    /// Encoders whose first call was seen, and not how they were made. With [`Self::CensusMethods`], as all that follow.
    EncodersSeenLate = "encoders_seen_late",
    /// Encoders that one thread made and used.
    EncodersOneThread = "encoders_one_thread",
    /// Encoders that two threads made and used.
    EncodersTwoThreads = "encoders_two_threads",
    /// Encoders that three threads made and used.
    EncodersThreeThreads = "encoders_three_threads",
    /// Encoders that four threads or more made and used.
    EncodersManyThreads = "encoders_many_threads",
    /// The most threads that made and used one encoder; 9 for more than eight.
    EncoderThreadsMost = "encoder_threads_most",
    /// Encoders on which two threads were in hooked calls at the same time, or one while the other waited to get in.
    EncodersOverlapped = "encoders_overlapped",
    /// Calls on encoders whose threads could not be followed, for want of room.
    EncodersUnfollowed = "encoders_unfollowed",
}
