//! From a capture to a report's text. The process is gone by now; names are looked up in its files.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use anyhow::{Context, Result};
use nix::sys::utsname::{UtsName, uname};
use serde_json::json;

use crate::capture::{Capture, Thread, Trace};
use crate::exception::{Exception, Signal, Termination};
use crate::images::{Image, Images, format_uuid};
use crate::message::Message;
use crate::registers::{ARCH, CPU_TYPE, Registers};
use crate::report::{self, Body, Header, OsVersion, SharedCache};
use crate::symbols::Symbols;
use crate::unwind::{Frame, Unwinder};
use crate::{clock, file};

/// A crash.
const BUG_TYPE: &str = "309";
pub const NO_UUID: &str = "00000000-0000-0000-0000-000000000000";
pub const REPORTER: &str = concat!("agx-rehearsal-reporter ", env!("CARGO_PKG_VERSION"));

/// The report of one crash.
pub fn report(message: &Message, capture: &Capture) -> Result<String> {
    let process = &capture.process;
    let incident = incident()?;
    let mut names = Names::new(&capture.images);
    let threads = threads(message, capture, &mut names);
    let faulting_thread = capture
        .threads
        .iter()
        .position(|thread| thread.tid == message.tid);
    let faulting_thread = faulting_thread.context("the faulting thread is missing")?;
    let asi = sentences(message, capture, &threads[faulting_thread]);
    let signal = signal(message, capture);
    let start = process.start_ticks.and_then(ticks_to_ns);
    let os = Os::read();
    let crashed = clock::local_time(message.wall_ns);
    let main_image = capture
        .images
        .all()
        .iter()
        .find(|image| image.path == process.path);
    let header = Header {
        app_name: &process.name,
        timestamp: clock::coarse(&crashed),
        app_version: "",
        slice_uuid: main_image.map_or_else(|| NO_UUID.to_owned(), Image::uuid),
        build_version: "",
        platform: 0,
        share_with_app_devs: 0,
        is_first_party: 0,
        bug_type: BUG_TYPE,
        os_version: format!("{} ({})", os.train, os.build),
        roots_installed: 0,
        incident_id: &incident,
        name: &process.name,
    };
    let body = Body {
        uptime: message.boot_ns / 1_000_000_000,
        proc_role: "Unspecified",
        version: 2,
        user_id: process.user,
        deploy_version: 210,
        model_code: os.model,
        os_version: OsVersion {
            train: os.train,
            build: os.build,
            release_type: "User",
        },
        capture_time: clock::precise(&crashed),
        incident: &incident,
        pid: message.pid,
        cpu_type: CPU_TYPE,
        roots_installed: 0,
        bug_type: BUG_TYPE,
        proc_launch: start.map(|start| {
            let age = message.boot_ns.saturating_sub(start);
            clock::precise(&clock::local_time(message.wall_ns.saturating_sub(age)))
        }),
        proc_start_abs_time: start,
        proc_exit_abs_time: message.boot_ns,
        proc_name: &process.name,
        proc_path: &process.path,
        parent_proc: process.parent.as_ref().map(|(_, name)| name.as_str()),
        parent_pid: process.parent.as_ref().map(|(pid, _)| *pid),
        responsible_pid: process.session_leader.as_ref().map(|(pid, _)| *pid),
        responsible_proc: process
            .session_leader
            .as_ref()
            .map(|(_, name)| name.as_str()),
        exception: Exception::of(&signal),
        termination: Termination::of(&signal),
        asi,
        faulting_thread,
        threads,
        used_images: names.used_images(),
        shared_cache: SharedCache {
            base: 0,
            size: 0,
            uuid: NO_UUID,
        },
        legacy_info: json!({ "threadTriggered": {} }),
        trial_info: json!({ "rollouts": [], "experiments": [] }),
        reporter: REPORTER,
        notes: &capture.notes,
    };
    report::to_text(&header, &body).context("writing the report as JSON")
}

/// A random (version 4) UUID, upper case.
/// A fresh incident id: a random UUID.
pub fn incident() -> Result<String> {
    let mut bytes = file::random()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(format_uuid(bytes).to_uppercase())
}

/// Kernel clock ticks as nanoseconds.
fn ticks_to_ns(ticks: u64) -> Option<u64> {
    let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok()??;
    Some(ticks.saturating_mul(1_000_000_000 / u64::try_from(per_second).ok()?.max(1)))
}

/// The signal to describe: the fault itself, even where a handler of the target took it and raised the signal again.
fn signal<'a>(message: &Message, capture: &'a Capture) -> Signal<'a> {
    let info = &message.info;
    // SAFETY: both fields are read as numbers whatever the signal; they are used only for signals that have them.
    let (address, sender) = unsafe { (info.si_addr(), info.si_pid()) };
    let first = capture
        .threads
        .iter()
        .find(|thread| thread.tid == message.tid);
    let handled = capture.handled_fault.as_ref();
    let name = capture
        .process
        .sender
        .as_deref()
        .filter(|_| handled.is_none());
    Signal {
        number: info.si_signo,
        code: handled.map_or(info.si_code, |fault| fault.code),
        address: handled.map_or(address.addr() as u64, |fault| fault.address),
        pc: first
            .and_then(|thread| thread.registers.as_ref())
            .map_or(0, Registers::ip),
        pid: message.pid,
        sender: name.map(|name| (sender, name)),
    }
}

fn threads(message: &Message, capture: &Capture, names: &mut Names) -> Vec<report::Thread> {
    let mut unwinder = Unwinder::new(&capture.images);
    capture
        .threads
        .iter()
        .map(|thread| report::Thread {
            triggered: thread.tid == message.tid,
            id: thread.tid,
            name: thread.name.clone(),
            state: thread.registers.as_ref().map(Registers::thread_state),
            frames: frames(thread, &mut unwinder)
                .iter()
                .map(|frame| names.resolve(frame))
                .collect(),
        })
        .collect()
}

fn frames(thread: &Thread, unwinder: &mut Unwinder) -> Vec<Frame> {
    match (&thread.trace, &thread.registers) {
        (Trace::Done(frames), _) => frames.clone(),
        (Trace::Later(stack), Some(registers)) => {
            unwinder
                .unwind(registers, |address| stack.word(address))
                .frames
        }
        _ => Vec::new(),
    }
}

/// The sentences, by image. A process that aborted says at least that, as `abort` itself does on macOS.
fn sentences(
    message: &Message,
    capture: &Capture,
    faulting: &report::Thread,
) -> BTreeMap<String, Vec<String>> {
    let mut asi: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let images = capture.images.all();
    for (index, sentence) in &capture.sentences {
        asi.entry(images[*index].name().to_owned())
            .or_default()
            .push(sentence.clone());
    }
    let abort = faulting
        .frames
        .iter()
        .find(|frame| frame.symbol.as_deref() == Some("abort"));
    if message.info.si_signo == libc::SIGABRT
        && let Some(image) = abort.and_then(|frame| images.get(frame.image_index))
    {
        asi.entry(image.name().to_owned())
            .or_insert_with(|| vec!["abort() called".to_owned()]);
    }
    asi
}

/// Names for addresses; a file's symbols are read when the first of its addresses comes up.
struct Names<'a> {
    images: &'a Images,
    symbols: HashMap<usize, Symbols>,
    /// Whether an address came up that lies in no image.
    nowhere: bool,
}

impl<'a> Names<'a> {
    fn new(images: &'a Images) -> Self {
        Self {
            images,
            symbols: HashMap::new(),
            nowhere: false,
        }
    }

    fn resolve(&mut self, frame: &Frame) -> report::Frame {
        let Some(index) = self.images.find(frame.lookup()) else {
            self.nowhere = true;
            return report::Frame {
                image_offset: frame.address,
                symbol: None,
                symbol_location: None,
                image_index: self.images.all().len(),
            };
        };
        let image = &self.images.all()[index];
        let found = image.elf.as_ref().and_then(|elf| {
            let symbols = self
                .symbols
                .entry(index)
                .or_insert_with(|| Symbols::read(elf));
            symbols.find(frame.lookup().wrapping_sub(image.bias()))
        });
        let (symbol, start) = found.unzip();
        let stated = frame.address.wrapping_sub(image.bias());
        report::Frame {
            image_offset: frame.address - image.base,
            symbol,
            symbol_location: start.map(|start| stated - start),
            image_index: index,
        }
    }

    /// The files, and after them, where one of the frames needs it, the absolute addresses.
    fn used_images(&self) -> Vec<report::Image> {
        let files = self.images.all().iter().map(|image| report::Image {
            source: 'P',
            arch: Some(ARCH),
            base: image.base,
            size: image.end - image.base,
            uuid: image.uuid(),
            path: Some(image.path.clone()),
            name: Some(image.name().to_owned()),
        });
        let nowhere = self.nowhere.then(|| report::Image {
            source: 'A',
            arch: None,
            base: 0,
            size: 0,
            uuid: NO_UUID.to_owned(),
            path: None,
            name: None,
        });
        files.chain(nowhere).collect()
    }
}

/// The system, in the places where macOS names itself.
pub struct Os {
    /// `Linux` and its version.
    pub train: String,
    /// The kernel's release.
    pub build: String,
    /// The machine's model, or its architecture.
    pub model: String,
}

impl Os {
    /// Asks the kernel.
    pub fn read() -> Self {
        let uname = uname().ok(); // a report without the system's version is worth more than none
        let uname = uname.as_ref();
        let text =
            |value: Option<&std::ffi::OsStr>| value.map(|v| v.to_string_lossy().into_owned());
        let release = text(uname.map(UtsName::release)).unwrap_or_default();
        let machine = text(uname.map(UtsName::machine)).unwrap_or_default();
        let model = fs::read_to_string("/sys/class/dmi/id/product_name").ok();
        let model = model
            .map(|model| model.trim().to_owned())
            .filter(|model| !model.is_empty());
        let version = release.split('-').next().unwrap_or_default();
        Self {
            train: format!("Linux {version}"),
            model: model.unwrap_or(machine),
            build: release,
        }
    }
}
