//! The few instructions that a rebuilt tail has besides those that were there ("Arm Architecture
//! Reference Manual", C6).

use super::Refusal;

/// `nop`.
pub const NOP: u32 = 0xd503_201f;

/// `mov register, xzr`.
pub fn zero(register: u8) -> u32 {
    0xaa1f_03e0 | u32::from(register & 31)
}

/// `b target`, as it stands at `address`.
#[cfg(test)]
pub fn branch(address: u64, target: u64) -> Result<u32, Refusal> {
    Ok(0x1400_0000 | distance(address, target, 26)?)
}

/// `bl target`, as it stands at `address`.
pub fn call(address: u64, target: u64) -> Result<u32, Refusal> {
    Ok(0x9400_0000 | distance(address, target, 26)?)
}

/// The conditional branch `word` (`b.cond`, `cbz`, `cbnz`), which stands at `address`, to another
/// target.
pub fn retarget(word: u32, address: u64, target: u64) -> Result<u32, Refusal> {
    let conditional = word & 0xff00_0000 == 0x5400_0000;
    let compares = word & 0x7e00_0000 == 0x3400_0000;
    if !conditional && !compares {
        return Err(Refusal::Unfit {
            address,
            why: "it is no conditional branch whose target could be another",
        });
    }
    Ok(word & !(0x7_ffff << 5) | distance(address, target, 19)? << 5)
}

/// The distance of two instructions, in instructions, as a signed number of `bits`.
fn distance(address: u64, target: u64, bits: u32) -> Result<u32, Refusal> {
    let out = Refusal::OutOfReach { address, target };
    let bytes = target.wrapping_sub(address).cast_signed();
    let limit = 1_i64 << (bits + 1);
    if bytes % 4 != 0 || bytes < -limit || bytes >= limit {
        return Err(out);
    }
    let mask = (1_u64 << bits) - 1;
    u32::try_from((bytes / 4).cast_unsigned() & mask).map_err(|_| out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_published_disassembly() {
        assert_eq!(call(0x2b_e074, 0x6d_49e4), Ok(0x9410_5a5c));
        assert_eq!(call(0x2b_e088, 0x6d_46c4), Ok(0x9410_598f));
        assert_eq!(branch(0x2b_e078, 0x2b_e08c), Ok(0x1400_0005));
        assert_eq!(retarget(0x5400_0008, 0x2b_e05c, 0x2b_e07c), Ok(0x5400_0108));
        assert_eq!(zero(20), 0xaa1f_03f4);
    }

    #[test]
    fn the_farthest_targets_are_reached_and_the_next_are_not() {
        let far = 0x1000_0000;
        assert_eq!(branch(far, far - (1 << 27)), Ok(0x1600_0000));
        assert_eq!(branch(far, far + (1 << 27) - 4), Ok(0x15ff_ffff));
        for target in [far + (1 << 27), far - (1 << 27) - 4, far + 2] {
            let refused = Refusal::OutOfReach {
                address: far,
                target,
            };
            assert_eq!(branch(far, target), Err(refused));
        }
        let near = 1 << 20;
        assert_eq!(retarget(0x5400_0008, near, 0), Ok(0x5480_0008));
        assert_eq!(retarget(0xb400_0014, near, near - 4), Ok(0xb4ff_fff4));
        assert!(retarget(0x5400_0008, near, near + (1 << 20)).is_err());
        assert!(retarget(NOP, near, near).is_err());
    }
}
