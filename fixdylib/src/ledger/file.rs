//! The file: made with checked writes, then mapped.
//!
//! Every byte is written before it is mapped: a page without a block on a full disk would be a SIGBUS in the program
//! that we are guests of. Nothing here allocates or locks, because a child of `fork` comes through here.

use std::ffi::{CStr, c_int};
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;

use agx_ledger::LedgerName;
use agx_ledger::layout::{self, BODY, CensusRecord, Header};

use super::failure::{Cause, Failure, Stage};
use crate::os;

const PATH_MAX: usize = 4096;
const HEADER_END: libc::off_t = 4096;
const _: () = assert!(HEADER_END.cast_unsigned() as usize == layout::HEADER_LEN);

/// `folder/pid-load.ledger` with its NUL.
fn path(folder: &CStr, name: LedgerName) -> Result<[u8; PATH_MAX], Cause> {
    let too_long = Cause {
        stage: Stage::Name,
        errno: libc::ENAMETOOLONG,
    };
    let mut path = [0; PATH_MAX];
    let folder = folder.to_bytes();
    let start = folder.len() + 1;
    if start >= PATH_MAX {
        return Err(too_long);
    }
    path[..folder.len()].copy_from_slice(folder);
    path[folder.len()] = b'/';
    name.write_to(&mut path[start..PATH_MAX - 1])
        .ok_or(too_long)?;
    Ok(path)
}

/// An open file, closed on drop.
struct File(c_int);

impl File {
    fn open(path: &[u8; PATH_MAX], flags: c_int) -> Result<Self, Cause> {
        let flags = flags | libc::O_RDWR | libc::O_CLOEXEC | libc::O_NOFOLLOW;
        // SAFETY: the path holds a NUL: its last byte is never written.
        let file = unsafe { libc::open(path.as_ptr().cast(), flags, 0o600) };
        if file < 0 {
            Err(Cause::now(Stage::Open))
        } else {
            Ok(Self(file))
        }
    }

    fn write_at(&self, mut bytes: &[u8], mut offset: usize) -> Result<(), Cause> {
        while !bytes.is_empty() {
            let at = libc::off_t::try_from(offset).map_err(|_| Cause {
                stage: Stage::Write,
                errno: libc::EFBIG,
            })?;
            // SAFETY: `bytes` is readable for its length.
            let written = unsafe { libc::pwrite(self.0, bytes.as_ptr().cast(), bytes.len(), at) };
            match usize::try_from(written) {
                Ok(0) => {
                    return Err(Cause {
                        stage: Stage::Write,
                        errno: libc::ENOSPC,
                    });
                }
                Ok(written) => {
                    bytes = &bytes[written..];
                    offset += written;
                }
                Err(_) if os::errno() == libc::EINTR => {}
                Err(_) => return Err(Cause::now(Stage::Write)),
            }
        }
        Ok(())
    }

    fn write_zeros(&self, from: usize, to: usize) -> Result<(), Cause> {
        let zeros = [0; 8 * 1024];
        let mut at = from;
        while at < to {
            let len = zeros.len().min(to - at);
            self.write_at(&zeros[..len], at)?;
            at += len;
        }
        Ok(())
    }

    fn map(&self, len: usize) -> Result<NonNull<u8>, Cause> {
        // SAFETY: a new mapping at an address of the system's choice; the file has `len` bytes, all written.
        let mapped = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                self.0,
                0,
            )
        };
        if mapped == libc::MAP_FAILED {
            return Err(Cause::now(Stage::Map));
        }
        NonNull::new(mapped.cast()).ok_or(Cause {
            stage: Stage::Map,
            errno: libc::ENOMEM,
        })
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is open and owned. Its data is in the page cache; an error has nobody to act on it.
        unsafe { libc::close(self.0) };
    }
}

/// Whose file it is.
fn name(header: &Header) -> LedgerName {
    LedgerName {
        pid: header.pid,
        load_ns: header.load_ns,
    }
}

/// Makes the file with `header` and maps it.
pub fn create(folder: &'static CStr, header: &Header) -> Result<NonNull<Header>, Failure> {
    let name = name(header);
    try_create(folder, name, header).map_err(|cause| Failure {
        cause,
        folder,
        name,
    })
}

fn try_create(folder: &CStr, name: LedgerName, header: &Header) -> Result<NonNull<Header>, Cause> {
    let path = path(folder, name)?;
    let file = File::open(&path, libc::O_CREAT | libc::O_EXCL)?;
    // SAFETY: a header is 4096 bytes without padding, all initialised, and nobody else has it.
    let bytes = unsafe {
        std::slice::from_raw_parts(ptr::from_ref(header).cast::<u8>(), layout::HEADER_LEN)
    };
    let mapped = file
        .write_at(bytes, 0)
        .and_then(|()| file.map(layout::HEADER_LEN));
    if mapped.is_err() {
        // Half a header would be taken for a damaged ledger. SAFETY: the path ends in NUL.
        unsafe { libc::unlink(path.as_ptr().cast()) };
    }
    mapped.map(NonNull::cast)
}

/// Writes the body behind the header and maps the whole file. `from` is the mapped ledger of the parent whose census
/// and strings a child of `fork` takes over.
pub fn append_body(
    folder: &'static CStr,
    header: &Header,
    from: Option<*const u8>,
) -> Result<NonNull<u8>, Failure> {
    let name = name(header);
    try_append(folder, name, from).map_err(|cause| Failure {
        cause,
        folder,
        name,
    })
}

fn try_append(
    folder: &CStr,
    name: LedgerName,
    from: Option<*const u8>,
) -> Result<NonNull<u8>, Cause> {
    let file = File::open(&path(folder, name)?, 0)?;
    let write = || {
        let mut at = BODY.census;
        if let Some(parent) = from {
            // SAFETY: the parent's mapping has `BODY.file_len` bytes; in the child nobody writes to it, and what the
            // parent writes meanwhile is atomics of which any value will do.
            let census = unsafe {
                std::slice::from_raw_parts(parent.add(BODY.census), BODY.rings - BODY.census)
            };
            file.write_at(census, BODY.census)?;
            at = BODY.rings;
        }
        file.write_zeros(at, BODY.file_len)
    };
    let mapped = write().and_then(|()| file.map(BODY.file_len));
    if mapped.is_err() {
        // SAFETY: the descriptor is open. If the file cannot be cut either, its header still says that it has no body.
        unsafe { libc::ftruncate(file.0, HEADER_END) };
    }
    mapped
}

/// Tells readers where the body is. Offsets last: until then it does not exist for them.
pub fn publish_body(header: &Header) {
    let sections = [
        (
            &header.strings_at,
            BODY.strings,
            1,
            layout::STRINGS_CAPACITY,
        ),
        (
            &header.rings_at,
            BODY.rings,
            layout::RING_STRIDE,
            layout::RING_CAPACITY,
        ),
        (
            &header.census_at,
            BODY.census,
            size_of::<CensusRecord>(),
            layout::CENSUS_CAPACITY,
        ),
    ];
    for (section, offset, stride, capacity) in sections {
        section
            .stride
            .store(u32::try_from(stride).unwrap_or(0), Ordering::Relaxed); // constants below 2^32
        section
            .capacity
            .store(u32::try_from(capacity).unwrap_or(0), Ordering::Relaxed);
        section.offset.store(offset as u64, Ordering::Release);
    }
}

/// Gives a mapping back, if there is one.
pub fn unmap(start: *mut u8, len: usize) {
    if !start.is_null() {
        // SAFETY: `start` and `len` are those of a mapping made here, and its pointers have been withdrawn.
        unsafe { libc::munmap(start.cast(), len) };
    }
}
