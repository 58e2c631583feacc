//! What is taken from the process while it stands still: everything that its death destroys, and no more.

use std::collections::HashMap;

use nix::sys::ptrace;
use nix::unistd::Pid;

use crate::annotations;
use crate::images::Images;
use crate::memory::{self, Stack};
use crate::message::Message;
use crate::procfs::{self, Mapping};
use crate::registers::{Fault, Registers};
use crate::tracees::Tracees;
use crate::unwind::{Frame, Unwinder};

/// Bytes copied of the stack of a thread that did not crash: enough for 512 frames of usual size.
const STACK_COPY: u64 = 256 * 1024;

/// Unit in which memory is read and kept while unwinding.
const PAGE: u64 = 4096;

/// The crashed process and what surrounds it.
pub struct Process {
    /// File name of its program.
    pub name: String,
    /// Path of its program.
    pub path: String,
    /// Owner.
    pub user: Option<u32>,
    /// Start, clock ticks since boot.
    pub start_ticks: Option<u64>,
    /// Parent's process id and name.
    pub parent: Option<(i32, String)>,
    /// Id and name of its session's leader, if that still runs.
    pub session_leader: Option<(i32, String)>,
    /// Name of the process that sent the signal, if one did.
    pub sender: Option<String>,
}

/// A backtrace, or what is needed to make one later.
pub enum Trace {
    /// Unwound while the process stood still.
    Done(Vec<Frame>),
    /// To be unwound from this copy.
    Later(Stack),
    /// The thread could not be stopped.
    Missing,
}

/// One thread.
pub struct Thread {
    /// Thread id.
    pub tid: i32,
    /// Its name, as the kernel has it.
    pub name: Option<String>,
    /// Registers, where they could be read.
    pub registers: Option<Registers>,
    /// Its stack.
    pub trace: Trace,
}

/// Everything known about a crash, independent of the process from here on.
pub struct Capture {
    /// The process.
    pub process: Process,
    /// Its threads, the main thread first; the faulting one is among them.
    pub threads: Vec<Thread>,
    /// The files mapped into it.
    pub images: Images,
    /// Sentence by image index.
    pub sentences: Vec<(usize, String)>,
    /// The fault that a handler of the process took before it raised the signal again.
    pub handled_fault: Option<Fault>,
    /// What is missing from the report, and why.
    pub notes: Vec<String>,
}

/// Reads the process of `message`, whose threads `tracees` hold.
pub fn take(message: &Message, tracees: &Tracees) -> Capture {
    let pid = message.pid;
    let maps = procfs::maps(pid);
    let images = Images::open(pid, &maps);
    let mut notes = Vec::new();
    if let Some(refusal) = tracees.refusal {
        notes.push(format!(
            "threads could not be stopped ({refusal}): their stacks are missing"
        ));
    }
    if !memory::readable(pid, message.stack_address) {
        notes.push("memory could not be read: the stack is cut short".to_owned());
    }
    let (faulting, handled_fault) = faulting_thread(message, &images);
    let mut faulting = Some(faulting);
    let mut threads: Vec<Thread> = tracees
        .threads
        .iter()
        .filter_map(|&tid| {
            if tid == message.tid {
                faulting.take()
            } else {
                other_thread(pid, tid, tracees, &maps)
            }
        })
        .collect();
    threads.extend(faulting);
    let sentences = images.all().iter().enumerate();
    let sentences = sentences
        .filter_map(|(index, image)| Some((index, annotations::of_image(pid, image)?)))
        .collect();
    Capture {
        process: process(message),
        threads,
        images,
        sentences,
        handled_fault,
        notes,
    }
}

fn process(message: &Message) -> Process {
    let pid = message.pid;
    let stat = procfs::stat(pid);
    let executable = procfs::executable(pid);
    let named = |pid: i32| Some((pid, procfs::name_of(pid)?));
    // SAFETY: the field is read as a number whatever the signal; it is used only where the signal was sent.
    let sender = unsafe { message.info.si_pid() };
    Process {
        name: procfs::name(executable.as_deref(), stat.as_ref()),
        path: executable
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default(), // the link of a process that is gone cannot be read
        user: procfs::user(pid),
        start_ticks: stat.as_ref().map(|stat| stat.start_ticks),
        parent: stat.as_ref().map(|stat| {
            (
                stat.ppid,
                procfs::name_of(stat.ppid).unwrap_or_else(|| "unknown".to_owned()),
            )
        }),
        session_leader: stat.as_ref().and_then(|stat| named(stat.session)),
        sender: (message.info.si_code <= 0)
            .then(|| procfs::name_of(sender))
            .flatten(),
    }
}

/// The faulting thread from its signal context. It is unwound here and now: its handler may stand on an alternate stack,
/// and only the way there tells which other memory matters.
fn faulting_thread(message: &Message, images: &Images) -> (Thread, Option<Fault>) {
    let registers = Registers::from_context(message.registers);
    let mut pages = Pages::new(message);
    let backtrace = Unwinder::new(images).unwind(&registers, |address| pages.word(address));
    let handled = backtrace.interrupted.as_ref().unwrap_or(&registers);
    let handled_fault = raised_again(message)
        .then(|| handled.memory_fault())
        .flatten();
    let thread = Thread {
        tid: message.tid,
        name: procfs::thread_stat(message.pid, message.tid).map(|stat| stat.comm),
        registers: Some(registers),
        trace: Trace::Done(backtrace.frames),
    };
    (thread, handled_fault)
}

/// Whether the process sent the signal to itself, as a handler does that wants the default action after all (Python's
/// faulthandler). The signal's record then says nothing about the fault, but the machine's fault registers still do.
fn raised_again(message: &Message) -> bool {
    let info = &message.info;
    // SAFETY: the field is read as a number, and used only where the signal was sent.
    let sender = unsafe { info.si_pid() };
    info.si_signo == libc::SIGSEGV && info.si_code <= 0 && sender == message.pid
}

/// A thread that did not crash; None if it has ended.
fn other_thread(pid: i32, tid: i32, tracees: &Tracees, maps: &[Mapping]) -> Option<Thread> {
    let stat = procfs::thread_stat(pid, tid)?;
    if stat.state == 'Z' {
        return None;
    }
    let registers = tracees
        .is_stopped(tid)
        .then(|| ptrace::getregs(Pid::from_raw(tid)).ok())
        .flatten()
        .map(|registers| Registers::from_thread(&registers));
    let trace = registers.as_ref().map_or(Trace::Missing, |registers| {
        let sp = registers.sp();
        let end = maps
            .iter()
            .find(|m| (m.start..m.end).contains(&sp))
            .map_or(sp, |m| m.end);
        let len = usize::try_from((end - sp).min(STACK_COPY)).unwrap_or(0);
        Trace::Later(Stack {
            address: sp,
            bytes: memory::read(pid, sp, len),
        })
    });
    Some(Thread {
        tid,
        name: Some(stat.comm),
        registers,
        trace,
    })
}

/// Memory of the process, page by page as it is asked for; where it cannot be read, the stack that came with the message.
struct Pages<'a> {
    message: &'a Message,
    read: HashMap<u64, Stack>,
    sent: Stack,
}

impl<'a> Pages<'a> {
    fn new(message: &'a Message) -> Self {
        let sent = Stack {
            address: message.stack_address,
            bytes: message.stack.clone(),
        };
        Self {
            message,
            read: HashMap::new(),
            sent,
        }
    }

    fn word(&mut self, address: u64) -> Option<u64> {
        let start = address - address % PAGE;
        let page = self.read.entry(start).or_insert_with(|| Stack {
            address: start,
            bytes: memory::read(self.message.pid, start, 4096),
        });
        page.word(address).or_else(|| self.sent.word(address))
    }
}
