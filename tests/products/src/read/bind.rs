//! Where dyld writes the addresses of imported symbols: the opcodes of `LC_DYLD_INFO` (mach-o/loader.h, `BIND_OPCODE_*`).

use anyhow::{Context as _, Result, bail};
use object::macho;

use super::cursor::Cursor;

/// One place that gets an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// Index of the segment, in the order of the load commands.
    pub segment: usize,
    /// Bytes from the segment's begin.
    pub offset: u64,
    /// The symbol whose address it gets.
    pub symbol: String,
}

/// The places that a stream of opcodes names.
pub fn binds(opcodes: &[u8]) -> Result<Vec<Bind>> {
    const WORD: u64 = 8;
    let mut left = Cursor(opcodes);
    let mut found = Vec::new();
    let mut segment = None;
    let mut offset = 0u64;
    let mut symbol = "";
    let mut put = |segment: Option<usize>, offset: u64, symbol: &str| -> Result<()> {
        found.push(Bind {
            segment: segment.context("an address is bound before a segment is chosen")?,
            offset,
            symbol: symbol.to_owned(),
        });
        Ok(())
    };
    while let Some(byte) = left.byte() {
        let immediate = byte & macho::BIND_IMMEDIATE_MASK;
        match byte & macho::BIND_OPCODE_MASK {
            // In lazy binding it ends one entry, not the stream; at the end it is padding.
            macho::BIND_OPCODE_DONE
            // Which library, which type: no matter here.
            | macho::BIND_OPCODE_SET_DYLIB_ORDINAL_IMM
            | macho::BIND_OPCODE_SET_DYLIB_SPECIAL_IMM
            | macho::BIND_OPCODE_SET_TYPE_IMM => {}
            macho::BIND_OPCODE_SET_DYLIB_ORDINAL_ULEB | macho::BIND_OPCODE_SET_ADDEND_SLEB => {
                left.uleb()?;
            }
            macho::BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM => symbol = left.string()?,
            macho::BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB => {
                segment = Some(usize::from(immediate));
                offset = left.uleb()?;
            }
            macho::BIND_OPCODE_ADD_ADDR_ULEB => offset = offset.wrapping_add(left.uleb()?),
            macho::BIND_OPCODE_DO_BIND => {
                put(segment, offset, symbol)?;
                offset = offset.wrapping_add(WORD);
            }
            macho::BIND_OPCODE_DO_BIND_ADD_ADDR_ULEB => {
                put(segment, offset, symbol)?;
                offset = offset.wrapping_add(left.uleb()?).wrapping_add(WORD);
            }
            macho::BIND_OPCODE_DO_BIND_ADD_ADDR_IMM_SCALED => {
                put(segment, offset, symbol)?;
                offset = offset.wrapping_add(WORD * (u64::from(immediate) + 1));
            }
            macho::BIND_OPCODE_DO_BIND_ULEB_TIMES_SKIPPING_ULEB => {
                let times = left.uleb()?;
                let skipped = left.uleb()?;
                for _ in 0..times {
                    put(segment, offset, symbol)?;
                    offset = offset.wrapping_add(skipped).wrapping_add(WORD);
                }
            }
            other => bail!("{other:#x} is no opcode of binding"),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64, symbol: &str) -> Bind {
        Bind {
            segment: 2,
            offset,
            symbol: symbol.to_owned(),
        }
    }

    #[test]
    fn every_way_to_bind_is_followed() {
        let mut code = vec![macho::BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM];
        code.extend(b"_a\0");
        code.extend([macho::BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB | 2, 0x80, 1]);
        code.extend([macho::BIND_OPCODE_DO_BIND]); // 128
        code.extend([macho::BIND_OPCODE_DO_BIND_ADD_ADDR_ULEB, 16]); // 136
        code.extend([macho::BIND_OPCODE_DO_BIND_ADD_ADDR_IMM_SCALED | 1]); // 160
        code.push(macho::BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM);
        code.extend(b"_b\0");
        code.extend([macho::BIND_OPCODE_DO_BIND_ULEB_TIMES_SKIPPING_ULEB, 2, 8]); // 176, 192
        let expected = [
            at(128, "_a"),
            at(136, "_a"),
            at(160, "_a"),
            at(176, "_b"),
            at(192, "_b"),
        ];
        assert_eq!(binds(&code).unwrap(), expected);
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        assert!(binds(&[macho::BIND_OPCODE_DO_BIND]).is_err());
        assert!(binds(&[macho::BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB, 0x80]).is_err());
        assert!(binds(&[macho::BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM, b'_']).is_err());
        assert!(binds(&[0xd0]).is_err());
    }
}
