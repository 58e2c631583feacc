//! Disassembly for people.

use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv8::a64::InstDecoder;

use super::{Instruction, Operation};

pub(super) fn of(instruction: Instruction) -> String {
    let bytes = instruction.word.to_le_bytes();
    let decoded = InstDecoder::default().decode(&mut U8Reader::new(&bytes));
    let Ok(decoded) = decoded else {
        return format!(".word {:#010x}", instruction.word);
    };
    let text = decoded.to_string();
    let operation = instruction.operation();
    let target = operation.target().or(match operation {
        Operation::Address { target, .. } | Operation::LoadLiteral { target, .. } => Some(target),
        Operation::Page { page, .. } => Some(page),
        _ => None,
    });
    // The decoder knows no address: it writes distances, as `$+0x20`.
    match (target, text.rfind('$')) {
        (Some(target), Some(distance)) => format!("{}{target:#x}", &text[..distance]),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_addresses() {
        let rows = [
            (0x2b_e05c, 0x5400_0108, "b.hi 0x2be07c"),
            (0x2b_e074, 0x9410_5a5c, "bl 0x6d49e4"),
            (0x2b_e08c, 0xf838_6a7f, "str xzr, [x19, x24]"),
            (0x1000, 0x70ff_ffe1, "adr x1, 0xfff"),
            (0x5678, 0xf0ff_ffe1, "adrp x1, 0x4000"),
            (0x1000, 0x37ff_ffe3, "tbnz w3, #0x1f, 0xffc"),
            (0x1000, 0x58ff_ffc1, "ldr x1, 0xff8"),
            (0x1000, 0xb400_0040, "cbz x0, 0x1008"),
            (0x1000, 0xd65f_0fff, "retab"),
            (0x1000, 0x0420_0000, ".word 0x04200000"),
        ];
        for (address, word, expected) in rows {
            assert_eq!(Instruction::new(address, word).text(), expected);
        }
    }
}
