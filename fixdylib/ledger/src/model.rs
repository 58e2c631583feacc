//! What a reader gets.

use std::fmt;

use crate::layout::{architecture, degraded, event_phase, exit_route, phase, platform, state};
use crate::parse::Damage;

/// A number of the file with its known meanings; a value of a later version is kept as it is.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $value:path => $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$item])* $variant,)*
            /// A number that this version does not know.
            Other(u32),
        }

        impl $name {
            /// The meaning of a number in the file.
            pub const fn from_number(number: u32) -> Self {
                match number { $($value => Self::$variant,)* other => Self::Other(other) }
            }

            /// The number in the file.
            pub const fn number(self) -> u32 {
                match self { $(Self::$variant => $value,)* Self::Other(other) => other }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($text),)*
                    Self::Other(number) => write!(f, "unknown ({number})"),
                }
            }
        }
    };
}

number! {
    /// How far the library came.
    Phase {
        /// Loaded; nothing to hook was found.
        Loaded = phase::LOADED => "loaded",
        /// Hooks are in place, or were being installed.
        Armed = phase::ARMED => "armed",
        /// The process ended by itself; whether it was armed says [`Ledger::armed`].
        Exited = phase::EXITED => "exited",
    }
}

number! {
    /// Operating system.
    Platform {
        /// Linux.
        Linux = platform::LINUX => "linux",
        /// macOS.
        MacOs = platform::MACOS => "macos",
    }
}

number! {
    /// Processor.
    Architecture {
        /// x86-64.
        X86_64 = architecture::X86_64 => "x86_64",
        /// 64-bit ARM.
        Aarch64 = architecture::AARCH64 => "arm64",
    }
}

number! {
    /// How the process left.
    ExitRoute {
        /// `exit`, or a return from `main`.
        AtExit = exit_route::ATEXIT => "exit",
        /// `_exit` or `_Exit`.
        Immediate = exit_route::IMMEDIATE => "_exit",
    }
}

number! {
    /// What one event says.
    EventPhase {
        /// Inside the original method.
        Entered = event_phase::ENTERED => "entered",
        /// Left again.
        Returned = event_phase::RETURNED => "returned",
        /// The original was not called.
        Skipped = event_phase::SKIPPED => "skipped",
        /// Waiting for the lock.
        Waiting = event_phase::WAITING => "waiting for the lock",
    }
}

number! {
    /// Whether a method is hooked.
    State {
        /// Hooked.
        Hooked = state::HOOKED => "hooked",
        /// Left alone by rule.
        LeftAlone = state::LEFT_ALONE => "left alone",
        /// Should be hooked and is not.
        Unhooked = state::UNHOOKED => "unhooked",
    }
}

macro_rules! bits {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $value:path => $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$item])* $variant,)* }

        impl $name {
            /// The known bits that are set in a number of the file.
            pub fn from_bits(bits: u32) -> Vec<Self> {
                [$((Self::$variant, $value),)*].into_iter().filter(|(_, bit)| bits & bit != 0).map(|(it, _)| it).collect()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)* })
            }
        }
    };
}

bits! {
    /// What the library could not do.
    Degraded {
        /// No room for the body.
        NoBodyRoom = degraded::NO_BODY_ROOM => "no room for the census and the events",
        /// The body could not be mapped.
        NoBodyMapping = degraded::NO_BODY_MAPPING => "the census and the events could not be mapped",
        /// Methods without a census entry.
        CensusFull = degraded::CENSUS_FULL => "the census is full",
        /// Methods without a hook.
        SlotsFull = degraded::SLOTS_FULL => "the hook table is full",
        /// Classes were found by scanning.
        NoTrigger = degraded::NO_TRIGGER => "the runtime does not announce classes",
        /// Encoders without a retain.
        EncodersFull = degraded::ENCODERS_FULL => "the encoder table is full",
    }
}

/// Numbers of [`Reason`] in the file.
mod reason {
    pub const REFERENCE_COUNTING: u32 = 1;
    pub const LIFE_CYCLE: u32 = 2;
    pub const INTROSPECTION: u32 = 3;
    pub const GETTER: u32 = 4;
    pub const BOOKKEEPING: u32 = 5;
    pub const BLOCKING: u32 = 6;
    pub const CALLBACK: u32 = 7;
    pub const WRAPPER: u32 = 8;
    pub const UNREADABLE: u32 = 32;
    pub const VECTOR: u32 = 33;
    pub const LONG_DOUBLE: u32 = 34;
    pub const BIT_FIELD: u32 = 35;
    pub const UNION: u32 = 36;
    pub const TOO_MUCH_STACK: u32 = 37;
    pub const INCOMPLETE_STRUCT: u32 = 38;
    pub const WIDE_INTEGER: u32 = 39;
    pub const RETURN_KIND: u32 = 40;
    pub const SLOTS_FULL: u32 = 48;
    pub const NOT_INSTALLED: u32 = 49;
    pub const NO_FORWARDER: u32 = 50;
    pub const LATE: u32 = 51;
    pub const OVERRIDE: u32 = 52;
    pub const NOT_FOUND: u32 = 56;
}

number! {
    /// Why a method is not hooked. Below 32 it is a rule; from 32 on it is something that could not be done.
    Reason {
        /// `retain`, `release` and their kin.
        ReferenceCounting = reason::REFERENCE_COUNTING => "reference counting",
        /// `dealloc`, `.cxx_construct`, `.cxx_destruct`, `+initialize`.
        LifeCycle = reason::LIFE_CYCLE => "construction and destruction",
        /// `description`, `respondsToSelector:` and their kin.
        Introspection = reason::INTROSPECTION => "introspection",
        /// No arguments, returns a value, and no working verb at its start.
        Getter = reason::GETTER => "plain getter",
        /// Labels and debug groups' names.
        Bookkeeping = reason::BOOKKEEPING => "bookkeeping",
        /// Waits for the GPU: never under the lock, and nothing to watch.
        Blocking = reason::BLOCKING => "blocking call",
        /// Runs the program's own handlers: never under the lock.
        Callback = reason::CALLBACK => "runs the program's handlers",
        /// A class that wraps the driver's objects, which are hooked themselves.
        Wrapper = reason::WRAPPER => "wraps an object that is hooked",
        /// The type encoding cannot be read.
        Unreadable = reason::UNREADABLE => "type encoding unreadable",
        /// A vector type.
        Vector = reason::VECTOR => "vector argument or result",
        /// `long double`.
        LongDouble = reason::LONG_DOUBLE => "long double argument or result",
        /// A bit-field by value.
        BitField = reason::BIT_FIELD => "bit-field by value",
        /// A union by value.
        Union = reason::UNION => "union by value",
        /// More words on the stack than any forwarder copies.
        TooMuchStack = reason::TOO_MUCH_STACK => "too many arguments on the stack",
        /// A structure by value whose fields the encoding does not give.
        IncompleteStruct = reason::INCOMPLETE_STRUCT => "structure with unknown fields by value",
        /// A 128-bit integer.
        WideInteger = reason::WIDE_INTEGER => "128-bit integer",
        /// A result that no forwarder carries.
        ReturnKind = reason::RETURN_KIND => "result that no forwarder carries",
        /// The slot table is full.
        SlotsFull = reason::SLOTS_FULL => "the hook table is full",
        /// The runtime refused the new implementation.
        NotInstalled = reason::NOT_INSTALLED => "the runtime refused the hook",
        /// The forwarders of the shape are all in use.
        NoForwarder = reason::NO_FORWARDER => "no forwarder of this shape is left",
        /// The method came after its class was gone through, or its class was never announced. Found at the exit.
        Late = reason::LATE => "it came after the hooks",
        /// The method overrides a hooked one of its superclass, and a published version's list does not reach its class.
        /// Found at the exit; not counted as missing.
        Override = reason::OVERRIDE => "it overrides a hooked method, in a class that the version's list does not reach",
        /// A published version's list names a method that its class does not have. Not counted as missing: the version's
        /// own hooks stand as published.
        NotFound = reason::NOT_FOUND => "the class has no such method",
    }
}

impl Reason {
    /// Whether it is a rule; otherwise it is something that could not be done.
    pub const fn is_rule(self) -> bool {
        self.number() < reason::UNREADABLE
    }
}

/// One method in the census.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CensusEntry {
    /// Class that was hooked, as text; bytes that are not UTF-8 are replaced.
    pub class: String,
    /// Selector.
    pub selector: String,
    /// Type encoding, where it was kept.
    pub encoding: Option<String>,
    /// Whether it is hooked.
    pub state: State,
    /// Why not, unless it is hooked.
    pub reason: Option<Reason>,
    /// Number by which events name it; only where hooked.
    pub slot: Option<u32>,
    /// The class inherits the method.
    pub inherited: bool,
    /// Calls that were not made.
    pub skipped: u64,
    /// Somebody else's code has taken the place of the hook.
    pub replaced: bool,
    /// The method was found unhooked at the exit.
    pub late: bool,
    /// File that has the code of a method that was replaced, or never hooked, where it is known.
    pub image: Option<String>,
    /// What its calls amounted to; zero unless [`Ledger::census_asked`].
    pub tally: Tally,
}

/// Calls of one method, and the encoders on which they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that came in.
    pub calls: u64,
    /// Of those, the ones that are over.
    pub left: u64,
    /// Of these, the ones that an exception left.
    pub threw: u64,
    /// Encoders that a call of this method, by a second thread, made shared.
    pub shared: u32,
    /// Calls that came while another thread was in a call on the same encoder, or waited to get in.
    pub overlapped: u32,
    /// Encoders of which nothing was seen before a call of this method.
    pub first_seen: u32,
    /// The most threads of an encoder that became known by a call of this method.
    pub threads_most: u32,
}

impl CensusEntry {
    /// `-[Class selector]`.
    pub fn method(&self) -> String {
        format!("-[{} {}]", self.class, self.selector)
    }
}

/// One thread's last events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// The system's id of the thread that had the ring last.
    pub thread: u64,
    /// Hooked calls of every thread that had the ring.
    pub calls: u64,
    /// Outermost acquisitions of a lock, by every thread that had the ring.
    pub acquisitions: u64,
    /// Number of the lock that the thread had; `None` also where the file does not tell.
    pub holds: Option<u32>,
    /// Number of the lock for which it waited; [`NO_LOCK`](crate::layout::NO_LOCK) less 1 for something that is none.
    pub waits: Option<u32>,
    /// Hooked calls open on the thread.
    pub depth: u32,
    /// The thread was alive.
    pub owned: bool,
    /// Events in the order in which they began, oldest first.
    pub events: Vec<Event>,
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it entered, in nanoseconds since the epoch; `None` where the clocks cannot be related.
    pub time_ns: Option<u64>,
    /// The hook.
    pub slot: u32,
    /// Address of the receiver.
    pub object: u64,
    /// How far it came.
    pub phase: EventPhase,
}

/// A hooked call that had not returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// The system's id of the thread.
    pub thread: u64,
    /// `-[Class selector]`, or `hook 12` where the census does not know it.
    pub method: String,
    /// Address of the receiver.
    pub object: u64,
    /// When it entered, in nanoseconds since the epoch.
    pub since_ns: Option<u64>,
    /// It was still waiting for the lock.
    pub waiting: bool,
}

impl fmt::Display for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.waiting {
            "waiting to enter"
        } else {
            "inside"
        };
        write!(
            f,
            "thread {} was {state} {} on {:#x}",
            self.thread, self.method, self.object
        )
    }
}

/// Everything that a ledger says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // independent facts, as the file has them
pub struct Ledger {
    /// The process.
    pub pid: u32,
    /// Its parent when the library was loaded.
    pub parent: u32,
    /// The process from which `fork` copied it; `None` if the library was loaded afresh.
    pub forked_from: Option<u32>,
    /// Start of the process, nanoseconds since the epoch, where the system tells.
    pub start_ns: Option<u64>,
    /// Load of the library, nanoseconds since the epoch.
    pub load_ns: u64,
    /// End of the process, nanoseconds since the epoch, if it left by itself.
    pub exited_ns: Option<u64>,
    /// How it left.
    pub exit_route: Option<ExitRoute>,
    /// Status handed to `_exit`.
    pub exit_status: Option<u32>,
    /// Executable, as the system gives the path: bytes, not text.
    pub executable: Vec<u8>,
    /// The path is cut.
    pub executable_truncated: bool,
    /// Version and build of the library.
    pub build_id: String,
    /// Policy in force.
    pub policy: String,
    /// Operating system.
    pub platform: Platform,
    /// Processor.
    pub architecture: Architecture,
    /// How far the library came.
    pub phase: Phase,
    /// The body exists: hooks were to be installed. Stays true after the end.
    pub armed: bool,
    /// What the library could not do.
    pub degraded: Vec<Degraded>,
    /// `AGX_FIX_DISABLE` was set.
    pub disabled: bool,
    /// An Objective-C runtime was seen.
    pub objc_seen: bool,
    /// A Metal command encoder or command buffer class was seen.
    pub metal_seen: bool,
    /// The policy that was asked for does not exist: nothing was hooked.
    pub policy_unknown: bool,
    /// `AGX_FIX_CENSUS` was set.
    pub census_asked: bool,
    /// The census was taken, at the exit.
    pub census_taken: bool,
    /// Counters in the order of the file. `method_calls` includes what the rings counted.
    pub counters: Vec<(String, u64)>,
    /// Methods.
    pub census: Vec<CensusEntry>,
    /// Rings that a thread has used.
    pub rings: Vec<Ring>,
    /// What could not be read.
    pub damage: Vec<Damage>,
}

impl Ledger {
    /// Value of a counter; `None` if the file does not have it.
    pub fn counter(&self, name: &str) -> Option<u64> {
        self.counters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| *value)
    }

    /// `-[Class selector]` of a hook.
    pub fn method_name(&self, slot: u32) -> Option<String> {
        self.census
            .iter()
            .find(|entry| entry.slot == Some(slot))
            .map(CensusEntry::method)
    }

    /// Calls that had not returned, thread by thread, outermost first.
    ///
    /// An outer call during which more events happened than a ring holds is missing.
    pub fn in_flight(&self) -> Vec<InFlight> {
        let mut open = Vec::new();
        for ring in &self.rings {
            for event in &ring.events {
                if matches!(event.phase, EventPhase::Entered | EventPhase::Waiting) {
                    open.push(InFlight {
                        thread: ring.thread,
                        method: self
                            .method_name(event.slot)
                            .unwrap_or_else(|| format!("hook {}", event.slot)),
                        object: event.object,
                        since_ns: event.time_ns,
                        waiting: event.phase == EventPhase::Waiting,
                    });
                }
            }
        }
        open
    }

    /// Methods in a state.
    pub fn in_state(&self, state: State) -> impl Iterator<Item = &CensusEntry> {
        self.census.iter().filter(move |entry| entry.state == state)
    }
}
