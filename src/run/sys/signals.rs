//! Signals as events: handlers write who sent what into a pipe, which the event loop polls.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use libc::{c_int, c_void, siginfo_t};
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::os;

/// Signals that become events, unless they were ignored when we were started: `nohup` ignores HUP,
/// and a shell without job control ignores INT and QUIT for its background commands.
const CAUGHT: [c_int; 9] = [
    libc::SIGINT,
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGTSTP,
    libc::SIGCONT,
    libc::SIGWINCH,
];

/// One signal as it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(in crate::run) struct Delivery {
    /// Signal number.
    pub signal: c_int,
    /// The kernel sent it itself (a key on the terminal, a hang-up), not some process by `kill`.
    pub from_kernel: bool,
}

const RECORD: usize = 2;

static WRITE_END: AtomicI32 = AtomicI32::new(-1);
static CHILD_CHANGED: AtomicBool = AtomicBool::new(false);
/// Handlers and children belong to the whole process: one supervision at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

extern "C" fn on_signal(signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    let errno = os::errno();
    // A burst of SIGCHLD must not fill the pipe and crowd out a TERM: one record stands for all.
    if signal != libc::SIGCHLD || !CHILD_CHANGED.swap(true, Ordering::AcqRel) {
        // SAFETY: SA_SIGINFO handlers get a valid siginfo; it is only read.
        let from_kernel = os::sent_by_kernel(unsafe { &*info });
        let record = [u8::try_from(signal).unwrap_or(0), u8::from(from_kernel)];
        // SAFETY: the buffer is live and `RECORD` long; `write` is async-signal-safe. The end does
        // not block, so a full pipe loses this record: thousands are unread by then.
        unsafe {
            libc::write(
                WRITE_END.load(Ordering::Acquire),
                record.as_ptr().cast(),
                RECORD,
            )
        };
    }
    os::set_errno(errno);
}

/// The installed handlers. Dropping restores every disposition and the mask.
pub(in crate::run) struct Signals {
    read: OwnedFd,
    _write: OwnedFd,
    found: Found,
    _only: MutexGuard<'static, ()>,
}

/// Dispositions and mask as they were before ours.
pub(super) struct Found {
    actions: Vec<(c_int, libc::sigaction)>,
    mask: libc::sigset_t,
}

impl Signals {
    /// Installs the handlers of a supervision. Waits while another thread supervises.
    pub(in crate::run) fn install() -> io::Result<Self> {
        let mut signals = Self::install_only(&CAUGHT)?;
        // An inherited SIG_IGN here would make the kernel reap children itself and lose their ends.
        signals.replace(libc::SIGCHLD, on_signal as *const () as usize)?;
        // A write to a closed downstream must be an EPIPE to pass on, whoever calls us.
        signals.replace(libc::SIGPIPE, libc::SIG_IGN)?;
        change_mask(libc::SIG_UNBLOCK, &[libc::SIGCHLD])?;
        // Writing to the terminal, and giving it away, from a background group is our duty here.
        change_mask(libc::SIG_BLOCK, &[libc::SIGTTOU])?;
        Ok(signals)
    }

    /// Installs handlers for these signals, unless they were ignored when we were started. Waits
    /// while another thread has some installed.
    pub(in crate::run) fn install_only(caught: &[c_int]) -> io::Result<Self> {
        let only = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let (read, write) = os::pipe()?;
        fcntl(&read, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        fcntl(&write, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        WRITE_END.store(write.as_raw_fd(), Ordering::Release);
        CHILD_CHANGED.store(false, Ordering::Release);
        let mut signals = Signals {
            read,
            _write: write,
            found: Found {
                actions: Vec::new(),
                mask: change_mask(libc::SIG_BLOCK, &[])?,
            },
            _only: only,
        };
        for signal in caught {
            if !is_ignored(*signal) {
                signals.replace(*signal, on_signal as *const () as usize)?;
            }
        }
        change_mask(libc::SIG_UNBLOCK, caught)?;
        Ok(signals)
    }

    fn replace(&mut self, signal: c_int, handler: usize) -> io::Result<()> {
        let old = set_action(signal, &action(handler))?;
        self.found.actions.push((signal, old));
        Ok(())
    }

    /// The signals that arrived since the last call, and whether a child changed state.
    pub(in crate::run) fn take(&self) -> io::Result<(Vec<Delivery>, bool)> {
        let mut deliveries = Vec::new();
        let mut buffer = [0u8; 64 * RECORD];
        loop {
            match nix::unistd::read(&self.read, &mut buffer) {
                Ok(n) => deliveries.extend(
                    // Records are shorter than PIPE_BUF, so they are written and read whole.
                    buffer[..n]
                        .chunks_exact(RECORD)
                        .map(|record| Delivery {
                            signal: c_int::from(record[0]),
                            from_kernel: record[1] != 0,
                        })
                        .filter(|delivery| delivery.signal != libc::SIGCHLD),
                ),
                Err(nix::errno::Errno::EAGAIN) => break,
                Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok((deliveries, CHILD_CHANGED.swap(false, Ordering::AcqRel)))
    }

    pub(super) fn found(&self) -> &Found {
        &self.found
    }
}

/// Stops this process as `signal` (one of the stop signals) would have, and returns once it
/// has been continued; at once where the kernel discards the stop (an orphaned group).
pub(in crate::run) fn stop_self(signal: c_int) -> io::Result<()> {
    if signal == libc::SIGSTOP {
        return send_self(signal);
    }
    let ours = set_action(signal, &action(libc::SIG_DFL))?;
    let mask = change_mask(libc::SIG_UNBLOCK, &[signal])?;
    let sent = send_self(signal);
    mask_with(libc::SIG_SETMASK, &mask)?;
    set_action(signal, &ours)?;
    sent
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.found.restore();
        WRITE_END.store(-1, Ordering::Release);
    }
}

impl Found {
    /// Puts everything back. Async-signal-safe: also called between fork and exec, where it turns
    /// our handlers off before the mask lets a signal in.
    pub(super) fn restore(&self) {
        for (signal, action) in self.actions.iter().rev() {
            // SAFETY: an action that sigaction itself returned for this signal.
            unsafe { libc::sigaction(*signal, action, std::ptr::null_mut()) };
        }
        // SAFETY: a mask that pthread_sigmask itself returned.
        unsafe {
            libc::pthread_sigmask(
                libc::SIG_SETMASK,
                &raw const self.mask,
                std::ptr::null_mut(),
            )
        };
    }
}

/// Blocks every signal in this thread; dropping restores the mask.
pub(super) struct AllBlocked(libc::sigset_t);

impl AllBlocked {
    pub(super) fn enter() -> io::Result<Self> {
        let mut all = MaybeUninit::uninit();
        // SAFETY: sigfillset initialises the set it is given.
        let all = unsafe {
            libc::sigfillset(all.as_mut_ptr());
            all.assume_init()
        };
        mask_with(libc::SIG_BLOCK, &all).map(AllBlocked)
    }
}

impl Drop for AllBlocked {
    fn drop(&mut self) {
        // SAFETY: a mask that pthread_sigmask itself returned; setting it cannot fail.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut())
        };
    }
}

/// The descriptor that the handlers write to.
pub(super) fn write_end() -> c_int {
    WRITE_END.load(Ordering::Acquire)
}

/// Whether `signal` is ignored at this moment.
pub(super) fn is_ignored(signal: c_int) -> bool {
    let mut old = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a query; `old` is only read where the call filled it.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), old.as_mut_ptr()) == 0
            && old.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// Whether `signal` is blocked in this thread at this moment.
pub(super) fn is_blocked(signal: c_int) -> bool {
    // SAFETY: the set is one that pthread_sigmask filled; the number is a valid signal.
    change_mask(libc::SIG_BLOCK, &[])
        .is_ok_and(|mask| unsafe { libc::sigismember(&raw const mask, signal) } == 1)
}

fn action(handler: usize) -> libc::sigaction {
    // SAFETY: all-zero is a valid sigaction (empty mask, no flags); the fields are set next.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        action.sa_flags = 0;
    }
    action
}

fn set_action(signal: c_int, action: &libc::sigaction) -> io::Result<libc::sigaction> {
    let mut old = MaybeUninit::uninit();
    // SAFETY: `action` holds SIG_DFL, SIG_IGN, `on_signal` or what sigaction returned; `old` is
    // filled where the call succeeds.
    unsafe {
        if libc::sigaction(signal, action, old.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(old.assume_init())
    }
}

fn change_mask(how: c_int, signals: &[c_int]) -> io::Result<libc::sigset_t> {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set; the numbers are valid signals.
    let set = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), *signal);
        }
        set.assume_init()
    };
    mask_with(how, &set)
}

fn mask_with(how: c_int, set: &libc::sigset_t) -> io::Result<libc::sigset_t> {
    let mut old = MaybeUninit::uninit();
    // SAFETY: both sets are valid; `old` is filled where the call succeeds.
    unsafe {
        match libc::pthread_sigmask(how, set, old.as_mut_ptr()) {
            0 => Ok(old.assume_init()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }
}

fn send_self(signal: c_int) -> io::Result<()> {
    // SAFETY: kill has no memory preconditions.
    if unsafe { libc::kill(libc::getpid(), signal) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
