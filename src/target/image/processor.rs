//! The processor that machine code is for.

use std::fmt;

use object::{elf, macho};

/// A processor, as far as loaders tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Processor {
    /// 64-bit ARM.
    Arm64,
    /// 64-bit ARM with pointer authentication, an ABI of its own: no image of the one is loaded into
    /// a process of the other.
    Arm64e,
    /// 64-bit Intel.
    X86_64,
    /// 64-bit Intel with the instructions of Haswell.
    X86_64h,
    /// 32-bit Intel; no macOS since 10.15 executes it.
    I386,
    /// 32-bit ARM.
    Arm,
    /// PowerPC, 32 or 64 bits; no macOS since 10.7 executes it.
    PowerPc,
    /// Anything else, by the number of its format: a CPU type of Mach-O or a machine of ELF.
    Other(u32),
}

impl Processor {
    /// By Mach-O's CPU type and subtype (`mach/machine.h`).
    pub(super) fn of_macho(cpu_type: u32, subtype: u32) -> Self {
        match (cpu_type, subtype & !macho::CPU_SUBTYPE_MASK) {
            (macho::CPU_TYPE_ARM64, macho::CPU_SUBTYPE_ARM64E) => Processor::Arm64e,
            (macho::CPU_TYPE_ARM64, _) => Processor::Arm64,
            (macho::CPU_TYPE_X86_64, macho::CPU_SUBTYPE_X86_64_H) => Processor::X86_64h,
            (macho::CPU_TYPE_X86_64, _) => Processor::X86_64,
            (macho::CPU_TYPE_X86, _) => Processor::I386,
            (macho::CPU_TYPE_ARM, _) => Processor::Arm,
            (macho::CPU_TYPE_POWERPC | macho::CPU_TYPE_POWERPC64, _) => Processor::PowerPc,
            (other, _) => Processor::Other(other),
        }
    }

    /// By ELF's machine.
    pub(super) fn of_elf(machine: u16) -> Self {
        match machine {
            elf::EM_AARCH64 => Processor::Arm64,
            elf::EM_X86_64 => Processor::X86_64,
            elf::EM_386 => Processor::I386,
            elf::EM_ARM => Processor::Arm,
            elf::EM_PPC | elf::EM_PPC64 => Processor::PowerPc,
            other => Processor::Other(u32::from(other)),
        }
    }
}

impl fmt::Display for Processor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Processor::Arm64 => "arm64",
            Processor::Arm64e => "arm64e",
            Processor::X86_64 => "x86_64",
            Processor::X86_64h => "x86_64h",
            Processor::I386 => "i386",
            Processor::Arm => "32-bit arm",
            Processor::PowerPc => "PowerPC",
            Processor::Other(number) => return write!(formatter, "processor {number}"),
        })
    }
}
