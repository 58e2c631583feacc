//! Memory of the crashed process: read live while it stands still, from copies afterwards.

use std::io::IoSliceMut;

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

/// Bytes of a string that are read at most.
const LONGEST_STRING: usize = 4096;

/// A page on every Linux machine this runs on divides into these.
const PAGE: u64 = 4096;

/// Up to `len` bytes from `address`; fewer, or none, where memory ends or may not be read.
pub fn read(pid: i32, address: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let Ok(base) = usize::try_from(address) else {
        return Vec::new();
    };
    // One remote piece a page: the kernel transfers whole pieces, and stops at the first it cannot read.
    let mut remote = Vec::new();
    let mut at = address;
    let end = address.saturating_add(len as u64);
    while at < end && remote.len() < 1024 {
        let next = (at / PAGE + 1).saturating_mul(PAGE).min(end);
        let len = usize::try_from(next - at).unwrap_or(0);
        remote.push(RemoteIoVec {
            base: base + usize::try_from(at - address).unwrap_or(0),
            len,
        });
        at = next;
    }
    let read = process_vm_readv(
        Pid::from_raw(pid),
        &mut [IoSliceMut::new(&mut bytes)],
        &remote,
    );
    bytes.truncate(read.unwrap_or(0));
    bytes
}

/// Whether the memory of `pid` may be read, tried at `address`.
pub fn readable(pid: i32, address: u64) -> bool {
    !read(pid, address, 1).is_empty()
}

/// The 64-bit number at `address`.
pub fn read_u64(pid: i32, address: u64) -> Option<u64> {
    Some(u64::from_ne_bytes(read(pid, address, 8).try_into().ok()?))
}

/// The C string at `address`, cut at 4096 bytes; None if it is empty or cannot be read.
pub fn read_string(pid: i32, address: u64) -> Option<String> {
    let bytes = read(pid, address, LONGEST_STRING);
    let text = bytes.split(|&byte| byte == 0).next()?;
    (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
}

/// A copy of one stack, from the stack pointer upwards.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    /// Address of the first byte.
    pub address: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Stack {
    /// The 64-bit number at `address`, if the copy reaches there.
    pub fn word(&self, address: u64) -> Option<u64> {
        let offset = usize::try_from(address.checked_sub(self.address)?).ok()?;
        let bytes = self.bytes.get(offset..offset.checked_add(8)?)?;
        Some(u64::from_ne_bytes(bytes.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_pid() -> i32 {
        std::process::id().cast_signed()
    }

    #[test]
    fn reads_a_string_of_this_process() {
        let text = c"validate";
        let address = text.as_ptr().expose_provenance() as u64;
        assert_eq!(read_string(own_pid(), address).as_deref(), Some("validate"));
    }

    #[test]
    fn the_first_page_reads_as_nothing() {
        assert!(!readable(own_pid(), 0x5c8));
        assert_eq!(read_u64(own_pid(), 0x5c8), None);
        assert!(read(own_pid(), u64::MAX - 8, 64).is_empty());
    }

    #[test]
    fn a_word_is_inside_the_copy_or_nothing() {
        let stack = Stack {
            address: 0x1000,
            bytes: (0..16).collect(),
        };
        assert_eq!(stack.word(0x1008), Some(0x0f0e_0d0c_0b0a_0908));
        assert_eq!(stack.word(0x1009), None);
        assert_eq!(stack.word(0xfff), None);
        assert_eq!(stack.word(u64::MAX), None);
    }
}
