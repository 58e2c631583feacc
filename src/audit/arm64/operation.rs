//! What an instruction does.

/// The number of a general register: 0 to 30; [`ZERO`] is the zero register or the stack pointer, as
/// the operand says.
pub type Register = u8;

/// The zero register, or the stack pointer where the operand is a base.
pub const ZERO: Register = 31;

/// What an instruction does, as far as the analyses ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `b`.
    Branch {
        /// Where it goes.
        target: u64,
    },
    /// `bl`.
    Call {
        /// What it calls.
        target: u64,
    },
    /// `b.eq` and the like.
    Conditional {
        /// Where it goes if the condition holds.
        target: u64,
        /// The condition, as it is encoded: 0 for `eq`, 8 for `hi`.
        condition: u8,
    },
    /// `cbz` and `cbnz`.
    CompareBranch {
        /// What is compared with zero.
        register: Register,
        /// Whether it goes if the register is not zero.
        nonzero: bool,
        /// Where it goes.
        target: u64,
    },
    /// `tbz` and `tbnz`.
    TestBranch {
        /// What has the bit.
        register: Register,
        /// Which bit, from 0.
        bit: u8,
        /// Whether it goes if the bit is set.
        nonzero: bool,
        /// Where it goes.
        target: u64,
    },
    /// `br` and its authenticated forms.
    IndirectBranch {
        /// What has the target.
        register: Register,
        /// Whether the pointer is authenticated.
        authenticated: bool,
    },
    /// `blr` and its authenticated forms.
    IndirectCall {
        /// What has the target.
        register: Register,
        /// Whether the pointer is authenticated.
        authenticated: bool,
    },
    /// `ret` and its authenticated forms.
    Return {
        /// Whether the pointer is authenticated.
        authenticated: bool,
    },
    /// `brk`, `udf`, `hlt`: execution does not go on.
    Trap,
    /// `adr`.
    Address {
        /// What gets it.
        register: Register,
        /// The address.
        target: u64,
    },
    /// `adrp`.
    Page {
        /// What gets it.
        register: Register,
        /// The address of the 4 KiB page.
        page: u64,
    },
    /// `add`, `sub`, `adds`, `subs` with a constant; `cmp` and `cmn` have the zero register as
    /// destination.
    AddImmediate {
        /// What gets the sum; the stack pointer is [`ZERO`] where flags are not set.
        destination: Register,
        /// What is added to; [`ZERO`] is the stack pointer.
        source: Register,
        /// The constant.
        immediate: u64,
        /// Whether it is subtracted.
        subtract: bool,
        /// Whether the flags are set.
        sets_flags: bool,
        /// 64 bits, or 32.
        wide: bool,
    },
    /// `add`, `sub`, `adds`, `subs` of two registers, neither shifted nor extended.
    Add {
        /// What gets the sum.
        destination: Register,
        /// What is added to.
        first: Register,
        /// What is added.
        second: Register,
        /// Whether it is subtracted.
        subtract: bool,
        /// Whether the flags are set.
        sets_flags: bool,
        /// 64 bits, or 32.
        wide: bool,
    },
    /// `mov` of one register into another.
    Move {
        /// What gets the value.
        destination: Register,
        /// What has it; [`ZERO`] is zero.
        source: Register,
        /// 64 bits, or 32.
        wide: bool,
    },
    /// `movz` and `movn`: a constant.
    MoveConstant {
        /// What gets it.
        destination: Register,
        /// The constant, as the register has it then.
        value: u64,
    },
    /// `movk`: 16 bits of a constant.
    MoveKeep {
        /// What gets them.
        destination: Register,
        /// The bits, at their place.
        bits: u64,
        /// Which bits are replaced.
        mask: u64,
    },
    /// `ldr` of a general register from a place that is near the instruction.
    LoadLiteral {
        /// What gets it.
        register: Register,
        /// The place.
        target: u64,
    },
    /// A load of one general register.
    Load(Access),
    /// A store of one general register.
    Store(Access),
    /// `ldp` of two general registers; the access is the first one's.
    LoadPair(Access, Register),
    /// `stp` of two general registers; the access is the first one's.
    StorePair(Access, Register),
    /// Anything else that goes on to the next instruction and touches no memory.
    Other,
    /// A memory access whose value is no single general register: of a vector register, atomic,
    /// exclusive, a prefetch.
    OtherMemory {
        /// What has the address.
        base: Register,
        /// Bytes from it, where they are a constant.
        offset: Offset,
        /// Whether memory may change.
        store: bool,
    },
    /// Not decoded at all: anything may happen.
    Unknown,
}

/// One access to memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The register that is loaded or stored; of the first, if two are. [`ZERO`] stores zero.
    pub register: Register,
    /// What has the address; [`ZERO`] is the stack pointer.
    pub base: Register,
    /// What is added to it.
    pub offset: Offset,
    /// Bytes of one register's part.
    pub size: u8,
    /// Whether a load extends the sign.
    pub signed: bool,
}

/// What is added to the base of an access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// Bytes.
    Immediate(i64),
    /// Bytes, and the base is changed before.
    PreIndex(i64),
    /// The base is changed by as many bytes afterwards.
    PostIndex(i64),
    /// A register.
    Register {
        /// Which one.
        index: Register,
        /// By how many bits it is shifted.
        shift: u8,
        /// How it is extended.
        extend: Extend,
    },
}

impl Offset {
    /// Bytes between base and access, where they are a constant.
    pub fn constant(self) -> Option<i64> {
        match self {
            Offset::Immediate(bytes) | Offset::PreIndex(bytes) => Some(bytes),
            Offset::PostIndex(_) => Some(0),
            Offset::Register { .. } => None,
        }
    }
}

/// How an index register is extended to 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extend {
    /// Its 32 bits, with zeros.
    Uxtw,
    /// All 64 bits.
    Lsl,
    /// Its 32 bits, with their sign.
    Sxtw,
    /// All 64 bits.
    Sxtx,
}

impl Operation {
    /// Where a direct branch or call goes.
    pub fn target(self) -> Option<u64> {
        match self {
            Operation::Branch { target }
            | Operation::Call { target }
            | Operation::Conditional { target, .. }
            | Operation::CompareBranch { target, .. }
            | Operation::TestBranch { target, .. } => Some(target),
            _ => None,
        }
    }

    /// Whether the next instruction may follow.
    pub fn falls_through(self) -> bool {
        !matches!(
            self,
            Operation::Branch { .. }
                | Operation::IndirectBranch { .. }
                | Operation::Return { .. }
                | Operation::Trap
        )
    }

    /// Whether it calls a function.
    pub fn calls(self) -> bool {
        matches!(
            self,
            Operation::Call { .. } | Operation::IndirectCall { .. }
        )
    }

    /// Base, offset and whether memory may change, of an instruction that touches memory.
    pub fn memory(self) -> Option<(Register, Offset, bool)> {
        match self {
            Operation::Load(access) | Operation::LoadPair(access, _) => {
                Some((access.base, access.offset, false))
            }
            Operation::Store(access) | Operation::StorePair(access, _) => {
                Some((access.base, access.offset, true))
            }
            Operation::OtherMemory {
                base,
                offset,
                store,
            } => Some((base, offset, store)),
            _ => None,
        }
    }
}
