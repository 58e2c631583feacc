//! Stops the other threads of the crashed process, as the kernel would have by ending it.
//!
//! Between the fault and the default action nothing else of the process may happen: its main thread could return and end
//! it with 0. The process that will become the writer therefore traces the threads before it does anything else; the
//! kernel keeps the tie across `execve`, and undoes it if the writer dies.

use super::sys;

/// Passes over the thread list: a thread that is not stopped yet may start another.
const PASSES: usize = 8;

/// Offset of `d_reclen` in `linux_dirent64`.
const RECORD_LENGTH: usize = 16;
/// Offset of `d_name` in `linux_dirent64`.
const NAME: usize = 19;

/// Traces and interrupts every thread listed in `tasks` (an open `/proc/PID/task`) but `faulting`, which waits anyway.
/// A refusal is not an error here: the writer finds out, and reports without the other threads' stacks.
pub fn other_threads(tasks: i32, faulting: i32) {
    let mut buffer = [0_u8; 2048];
    for _ in 0..PASSES {
        sys::rewind(tasks);
        let mut found = false;
        while let Ok(len @ 1..) = usize::try_from(sys::read_directory(tasks, &mut buffer)) {
            let mut rest = buffer.get(..len).unwrap_or_default(); // the kernel says no more than the buffer has
            while let Some((name, next)) = split_entry(rest) {
                rest = next;
                if let Some(tid) = parse_id(name).filter(|&tid| tid != faulting) {
                    found |= stop(tid);
                }
            }
        }
        if !found {
            return;
        }
    }
}

/// Whether `tid` was newly traced.
fn stop(tid: i32) -> bool {
    sys::ptrace(libc::PTRACE_SEIZE, tid) && sys::ptrace(libc::PTRACE_INTERRUPT, tid)
}

/// The first entry's name, up to its NUL, and what follows the entry.
fn split_entry(records: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = records.get(RECORD_LENGTH..RECORD_LENGTH + 2)?;
    let len = usize::from(u16::from_ne_bytes([len[0], len[1]]));
    let name = records.get(NAME..len)?;
    let end = name.iter().position(|&byte| byte == 0)?;
    Some((&name[..end], records.get(len..)?))
}

/// A decimal thread id; None for `.` and `..`.
fn parse_id(name: &[u8]) -> Option<i32> {
    name.iter().try_fold(0_i32, |value, &byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(i32::from(digit))
    })
}
