//! Runs a program as its tracer, and reads where it faulted from the kernel, before anything of the program sees the signal.

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use object::{Object as _, ObjectSymbol as _, SymbolKind};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// The first fault of a program, and how the program ended.
#[derive(Debug)]
pub struct Fault {
    /// The address that was touched (`si_addr`).
    pub address: u64,
    /// The function that touched it: its symbol in its library's file.
    pub function: String,
    /// The signal that ended the program.
    pub ended_by: Signal,
}

/// Runs the program to its end; `None` when it ended without a fault.
pub fn first_fault(command: &mut Command) -> Option<Fault> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    // SAFETY: the closure makes one system call and allocates nothing.
    unsafe {
        command.pre_exec(|| ptrace::traceme().map_err(Into::into));
    }
    #[expect(
        clippy::zombie_processes,
        reason = "the loop below waits for it, as its tracer must"
    )]
    let child = command.spawn().expect("the program starts");
    let main = Pid::from_raw(child.id().cast_signed());
    let options = Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
    let mut fault: Option<(u64, String)> = None;
    let mut begun = false;
    loop {
        // Every thread of the program is this thread's to wait for; other tests' children are not.
        let status = waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD));
        match status.expect("the program is this thread's child") {
            WaitStatus::Stopped(pid, Signal::SIGTRAP) if !begun => {
                begun = true;
                ptrace::setoptions(pid, options).expect("a stopped program takes options");
                go_on(pid, None);
            }
            WaitStatus::Stopped(pid, Signal::SIGSEGV) => {
                if fault.is_none() {
                    fault = read_fault(pid);
                }
                go_on(pid, Some(Signal::SIGSEGV));
            }
            WaitStatus::Stopped(pid, Signal::SIGSTOP) | WaitStatus::PtraceEvent(pid, ..) => {
                go_on(pid, None);
            }
            WaitStatus::Stopped(pid, signal) => go_on(pid, Some(signal)),
            WaitStatus::Exited(pid, _) if pid == main => return None,
            WaitStatus::Signaled(pid, ended_by, _) if pid == main => {
                return fault.map(|(address, function)| Fault {
                    address,
                    function,
                    ended_by,
                });
            }
            _ => {}
        }
    }
}

/// Lets a thread run. It may be gone: another thread's signal ends all of them.
fn go_on(pid: Pid, signal: Option<Signal>) {
    match ptrace::cont(pid, signal) {
        Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
        Err(error) => panic!("cannot continue {pid}: {error}"),
    }
}

/// What the kernel says about the signal that a thread is stopped with; `None` when the thread is gone.
fn read_fault(pid: Pid) -> Option<(u64, String)> {
    let information = ptrace::getsiginfo(pid).ok()?;
    // SAFETY: the signal is SIGSEGV, whose information holds an address.
    let address = unsafe { information.si_addr() }.addr() as u64;
    let function = function_at(pid, instruction_pointer(pid)?);
    Some((address, function))
}

#[cfg(target_arch = "x86_64")]
fn instruction_pointer(pid: Pid) -> Option<u64> {
    Some(ptrace::getregs(pid).ok()?.rip)
}

#[cfg(target_arch = "aarch64")]
fn instruction_pointer(pid: Pid) -> Option<u64> {
    Some(ptrace::getregs(pid).ok()?.pc)
}

/// The symbol that covers an address of the process.
fn function_at(pid: Pid, address: u64) -> String {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("a stopped process has maps");
    let Some((file, offset)) = maps.lines().find_map(|line| locate(line, address)) else {
        return format!("{address:#x} in no file");
    };
    let bytes = fs::read(&file).expect("a mapped file can be read");
    let image = object::File::parse(&*bytes).expect("a mapped file is an object file");
    let address = virtual_address(&image, offset);
    image
        .symbols()
        .chain(image.dynamic_symbols())
        .filter(|symbol| symbol.kind() == SymbolKind::Text)
        .find(|symbol| (symbol.address()..symbol.address() + symbol.size()).contains(&address))
        .and_then(|symbol| symbol.name().ok().map(str::to_owned))
        .unwrap_or_else(|| format!("{address:#x} in {}", Path::new(&file).display()))
}

/// File and file offset of an address, when this line of `maps` covers it: `start-end perms offset dev inode path`.
fn locate(line: &str, address: u64) -> Option<(String, u64)> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let (start, end) = (
        u64::from_str_radix(start, 16).ok()?,
        u64::from_str_radix(end, 16).ok()?,
    );
    let offset = u64::from_str_radix(fields.nth(1)?, 16).ok()?;
    let path = fields.nth(2)?;
    ((start..end).contains(&address) && path.starts_with('/'))
        .then(|| (path.to_owned(), address - start + offset))
}

fn virtual_address(image: &object::File<'_>, offset: u64) -> u64 {
    use object::ObjectSegment as _;
    let segment = image.segments().find(|segment| {
        let (start, size) = segment.file_range();
        (start..start + size).contains(&offset)
    });
    segment.map_or(offset, |segment| {
        offset - segment.file_range().0 + segment.address()
    })
}
