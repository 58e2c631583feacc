//! Damage: to bytes, to the pieces that readers look for, and by mixing two reports.

/// A generator of numbers that a seed repeats (SplitMix64, Steele and others 2014).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, or 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).expect("it is below a usize")
    }
}

/// What means something to a reader.
const WORDS: [&[u8]; 40] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"0.1",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\n",
    b"\r\n",
    b"\x1b[31m",
    b"<script>",
    b"\"threads\":",
    b"\"frames\":[{}]",
    b"\"processByPid\":{",
    b"\"stackshot\":{",
    b"\"bug_type\":\"288\"",
    b"\"bug_type\":\"210\"",
    b"\"bug_type\":\"22\"",
    b"\"exception\":",
    b"\"usedImages\":[",
    b"\nThread 0 Crashed:\n",
    b"\nThread 99999999999:\n",
    b"\n0   a   0x1 f + 1\n",
    b"\nBinary Images:\n",
    b"\nException Type: EXC_CRASH (",
    b"\nProcess: [",
    b"\nDate/Time: 2026-01-02 03:04:05 +9999\n",
    b"\nLast Exception Backtrace:\n",
    b"\nHeaviest stack for the target process:\n",
];

/// Damages `bytes` in one to eight ways, some of which take a piece of `other`.
pub(crate) fn mutate(bytes: &mut Vec<u8>, other: &[u8], numbers: &mut Numbers) {
    for _ in 0..=numbers.below(8) {
        let at = numbers.below(bytes.len());
        let length = 1 + numbers.below(64);
        let end = (at + length).min(bytes.len());
        match numbers.below(9) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = u8::try_from(numbers.below(256)).expect("a byte");
                }
            }
            1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << numbers.below(8);
                }
            }
            2 => drop(bytes.drain(at..end)),
            3 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            4 | 5 => {
                let word = WORDS[numbers.below(WORDS.len())];
                bytes.splice(at..at, word.iter().copied());
            }
            6 => {
                let word = WORDS[numbers.below(WORDS.len())];
                bytes.splice(at..end, word.iter().copied());
            }
            7 => {
                let from = numbers.below(other.len());
                let to = (from + numbers.below(4096)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            _ if numbers.below(4) == 0 => bytes.truncate(at),
            _ => {
                let word = WORDS[numbers.below(WORDS.len())];
                let many = word.repeat(1 + numbers.below(200));
                bytes.splice(at..at, many);
            }
        }
    }
}
