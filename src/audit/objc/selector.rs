//! Selectors that code names: references, and the stubs that send one each.

use super::model::{SelectorReference, Stub};
use super::reader::Reader;
use crate::audit::Why;
use crate::target::image::Processor;

/// The references to selectors.
pub(super) fn references<'a>(reader: &mut Reader<'_, 'a>) -> Vec<SelectorReference<'a>> {
    reader
        .slots("the references to selectors", &["__objc_selrefs"])
        .into_iter()
        .map(|address| SelectorReference {
            address,
            selector: reader.selector_by(address),
        })
        .collect()
}

/// The stubs that send one selector each. They are found by the instructions that load it, which both
/// linkers write first, because a stripped image names none of them.
pub(super) fn stubs<'a>(reader: &mut Reader<'_, 'a>) -> Vec<Stub<'a>> {
    let mut stubs = Vec::new();
    for section in reader.sections(&["__objc_stubs"]) {
        let bytes = match reader.binary.bytes_at(section.address, section.size) {
            Ok(bytes) => bytes,
            Err(why) => {
                reader.gap(STUBS, section.address, why);
                continue;
            }
        };
        let found = match reader.binary.processor() {
            Processor::Arm64 | Processor::Arm64e => arm64(bytes, section.address),
            Processor::X86_64 | Processor::X86_64h => x86_64(bytes, section.address),
            _ => {
                reader.gap(
                    STUBS,
                    section.address,
                    Why::Contradiction("stubs of this processor are not known"),
                );
                continue;
            }
        };
        if found.is_empty() && section.size > 0 {
            reader.gap(
                STUBS,
                section.address,
                Why::Contradiction("no stub of a known form is in it"),
            );
        }
        for (address, reference) in found {
            if !reader.spend(8) {
                break;
            }
            stubs.push(Stub {
                address,
                reference,
                selector: reader.selector_by(reference),
            });
        }
    }
    stubs
}

/// `adrp x1, page; ldr x1, [x1, #offset]`: the second argument of `objc_msgSend`.
fn arm64(bytes: &[u8], start: u64) -> Vec<(u64, u64)> {
    let words: Vec<u32> = bytes
        .chunks_exact(4)
        .filter_map(|word| Some(u32::from_le_bytes(*word.first_chunk()?)))
        .collect();
    (start..)
        .step_by(4)
        .zip(words.windows(2))
        .filter_map(|(address, pair)| {
            let [adrp, load] = *pair else { return None };
            let loads = adrp & 0x9f00_001f == 0x9000_0001 && load & 0xffc0_03ff == 0xf940_0021;
            loads.then(|| {
                let pages = (adrp >> 5 & 0x7_ffff) << 2 | adrp >> 29 & 3;
                // 21 bits with a sign.
                let pages = i64::from((pages << 11).cast_signed() >> 11);
                let page = (address & !0xfff).wrapping_add_signed(pages * 0x1000);
                (
                    address,
                    page.wrapping_add(u64::from(load >> 10 & 0xfff) * 8),
                )
            })
        })
        .collect()
}

/// `mov rsi, [rip + distance]`, then `jmp [rip + distance]`.
fn x86_64(bytes: &[u8], start: u64) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    let mut position = 0;
    while let Some(stub) = bytes.get(position..position + 13) {
        let loads = stub.starts_with(&[0x48, 0x8b, 0x35]) && stub[7..].starts_with(&[0xff, 0x25]);
        if let (true, Some(distance)) = (loads, stub[3..].first_chunk()) {
            let address = start + position as u64;
            let next = address.wrapping_add(7);
            let distance = i64::from(i32::from_le_bytes(*distance));
            found.push((address, next.wrapping_add_signed(distance)));
            position += 13;
        } else {
            position += 1;
        }
    }
    found
}

const STUBS: &str = "the stubs that send selectors";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_of_an_arm64_stub_lies_before_or_behind_it() {
        // adrp x1, +2 pages; ldr x1, [x1, #0x18]; adrp x1, -1 page; ldr x1, [x1]; brk
        let words = [
            0xd000_0001_u32,
            0xf940_0c21,
            0xf0ff_ffe1,
            0xf940_0021,
            0xd420_0020,
        ];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(
            arm64(&bytes, 0x1_0000_4ff8),
            [
                (0x1_0000_4ff8, 0x1_0000_6018),
                (0x1_0000_5000, 0x1_0000_4000)
            ]
        );
    }

    #[test]
    fn the_reference_of_an_intel_stub_counts_from_the_next_instruction() {
        let mut bytes = vec![0xcc];
        bytes.extend_from_slice(&[0x48, 0x8b, 0x35, 0x10, 0, 0, 0, 0xff, 0x25, 1, 0, 0, 0]);
        assert_eq!(x86_64(&bytes, 0x1000), [(0x1001, 0x1018)]);
        assert_eq!(x86_64(&bytes[..13], 0x1000), []);
    }
}
