//! Kernel panics: 210, and the text form of older systems.
//!
//! The text under `panicString` (on Macs with a T2 chip `macOSPanicString`, beside the chip's own)
//! is written for people, and its lines vary with the processor. Seen: Apple silicon in
//! `AdguardTeam/AdguardForMac` issue 1541, `Panicked task 0x...: 26839 pages, 26 threads: pid 6982:
//! com.adguard.mac.`; Intel in `bitwarden/clients` issue 3465, without the pages; older ones
//! name the process in `Process name corresponding to current thread`, alone or before a boot's
//! arguments, as in `SongXiaoXi/AppleIGC` issue 26.

use serde::Serialize;

use crate::reports::fault::leading_hex;

/// How much of the first line is kept, in characters: assertions carry a path or two.
const MESSAGE_LIMIT: usize = 2000;

/// A kernel panic.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Panic {
    /// What the kernel said: the first line, without `panic(cpu ... caller ...): `.
    pub message: Option<String>,
    /// The processor that panicked.
    pub cpu: Option<u32>,
    /// The kernel address that called `panic`.
    pub caller: Option<u64>,
    /// `Panicked task`: the process on whose behalf the kernel ran. It need not be at fault.
    pub task: Option<PanickedTask>,
    /// `tid` of `Panicked thread`.
    pub thread: Option<u64>,
    /// The build that ran, such as `25C56`: `OS version`, else `macOS version`.
    pub os_build: Option<String>,
    /// `Kernel version`, or the body's `kernel`.
    pub kernel: Option<String>,
    /// `product`, such as `Mac15,9`.
    pub product: Option<String>,
    /// `processByPid`: what every thread did then.
    pub stackshot: Option<Box<super::Stackshot>>,
}

/// The process on whose behalf the kernel ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PanickedTask {
    /// Its name, cut to 16 or 32 characters.
    pub name: Option<String>,
    /// Its process id.
    pub pid: Option<i32>,
    /// Its resident pages.
    pub pages: Option<u64>,
    /// Its threads.
    pub threads: Option<u64>,
}

/// Whether a text without a header line is a panic's.
pub(super) fn is_text(head: &str) -> bool {
    head.lines()
        .any(|line| line.trim() == "*** Panic Report ***" || line.starts_with("panic(cpu "))
}

impl Panic {
    /// The facts in the kernel's text.
    pub(super) fn of_text(text: &str) -> Self {
        let mut panic = Self::default();
        panic.read_text(text);
        panic.or_first_line(text);
        panic
    }

    /// Each fact that is missing here from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            message: self.message.or(other.message),
            cpu: self.cpu.or(other.cpu),
            caller: self.caller.or(other.caller),
            task: self.task.or(other.task),
            thread: self.thread.or(other.thread),
            os_build: self.os_build.or(other.os_build),
            kernel: self.kernel.or(other.kernel),
            product: self.product.or(other.product),
            stackshot: self.stackshot.or(other.stackshot),
        }
    }

    /// Picks the facts out of the kernel's text, beside those that stand.
    fn read_text(&mut self, text: &str) {
        let mut lines = text.lines().map(str::trim).peekable();
        while let Some(line) = lines.next() {
            if self.message.is_none() && !line.is_empty() {
                self.first(line);
            }
            if let Some(task) = line.strip_prefix("Panicked task ") {
                self.task = Some(panicked_task(task));
            } else if line.starts_with("Panicked thread:") {
                self.thread = line
                    .split_once("tid: ")
                    .and_then(|(_, tid)| number(tid.trim()));
            } else if let Some(rest) =
                line.strip_prefix("Process name corresponding to current thread")
            {
                let name = rest.split_once(':').map(|(_, name)| name.trim().to_owned());
                let task = self.task.get_or_insert_default();
                task.name = task.name.take().or(name);
            } else if let Some(version) = value(line, "OS version").or(value(line, "macOS version"))
            {
                self.os_build.get_or_insert_with(|| version.to_owned());
            } else if line == "Mac OS version:" {
                self.os_build = lines.peek().map(|next| (*next).to_owned());
            } else if let Some(version) = value(line, "Kernel version") {
                // Intel puts the version on a line of its own.
                let version = if version.is_empty() {
                    lines.peek().copied().unwrap_or_default()
                } else {
                    version
                };
                self.kernel.get_or_insert_with(|| version.to_owned());
            }
        }
    }

    /// `panic(cpu 4 caller 0xffffff8019996dcc): assertion failed: ...`; text reports have lines
    /// before it.
    fn first(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("panic(") else {
            return;
        };
        let (head, message) = rest.split_once("): ").unwrap_or((rest, ""));
        let mut words = head.split_whitespace();
        while let Some(word) = words.next() {
            match word {
                "cpu" => self.cpu = words.next().and_then(|digits| digits.parse().ok()),
                "caller" => self.caller = words.next().and_then(leading_hex),
                _ => {}
            }
        }
        self.message = Some(message.chars().take(MESSAGE_LIMIT).collect());
    }

    /// Keeps the first line of a text that is in no known form.
    fn or_first_line(&mut self, text: &str) {
        if self.message.is_none() {
            let line = text
                .lines()
                .map(str::trim)
                .find(|line| !line.is_empty() && !line.starts_with("***"));
            self.message = line.map(|line| line.chars().take(MESSAGE_LIMIT).collect());
        }
    }
}

fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    Some(line.strip_prefix(key)?.strip_prefix(':')?.trim())
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// `0xffffff9520826d10: 10 threads: pid 78715: Bitwarden Helper`, on Apple silicon with `26839
/// pages, ` before the threads. The name is last, and may hold any character.
fn panicked_task(text: &str) -> PanickedTask {
    let mut task = PanickedTask::default();
    let Some((_, rest)) = text.split_once(": ") else {
        return task;
    };
    let (counts, rest) = rest.split_once(": pid ").unwrap_or((rest, ""));
    for count in counts.split(", ") {
        if count.ends_with("pages") {
            task.pages = number(count);
        } else if count.ends_with("threads") {
            task.threads = number(count);
        }
    }
    if let Some((pid, name)) = rest.split_once(':') {
        task.pid = number(pid);
        task.name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    }
    task
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_processors_name_the_task() {
        let mut arm = Panic::default();
        arm.read_text(
            "panic(cpu 0 caller 0xfffffe0038b64a34): userspace watchdog timeout: no checkins\n\
             Debugger message: panic\nOS release type: User\nOS version: 23B81\n\
             Kernel version: Darwin Kernel Version 23.1.0: Mon Oct  9\n\
             Panicked task 0xfffffe2012391d80: 26839 pages, 26 threads: pid 6982: com.a:b.\n\
             Panicked thread: 0xffffffe804a68000, backtrace: 0xffffffe804a4b720, tid: 259\n",
        );
        assert_eq!(
            arm.message.as_deref(),
            Some("userspace watchdog timeout: no checkins")
        );
        assert_eq!(
            (arm.cpu, arm.caller),
            (Some(0), Some(0xffff_fe00_38b6_4a34))
        );
        let task = PanickedTask {
            name: Some("com.a:b.".to_owned()),
            pid: Some(6982),
            pages: Some(26839),
            threads: Some(26),
        };
        assert_eq!((arm.task, arm.thread), (Some(task), Some(259)));
        assert_eq!(arm.os_build.as_deref(), Some("23B81"));
        let mut intel = Panic::default();
        intel.read_text(
            "panic(cpu 6 caller 0xffffff801bdd07e3): Kernel trap at 0xffffff801bb010f6\n\
             Panicked task 0xffffff9520826d10: 10 threads: pid 78715: Bitwarden Helper\n\
             Mac OS version:\n21G83\n\nKernel version:\nDarwin Kernel Version 21.6.0\n",
        );
        let task = intel.task.expect("a task");
        assert_eq!(
            (task.pid, task.threads, task.pages),
            (Some(78715), Some(10), None)
        );
        assert_eq!(task.name.as_deref(), Some("Bitwarden Helper"));
        assert_eq!(intel.os_build.as_deref(), Some("21G83"));
        assert_eq!(
            intel.kernel.as_deref(),
            Some("Darwin Kernel Version 21.6.0")
        );
    }

    #[test]
    fn an_older_panic_names_the_process_of_the_thread() {
        let mut panic = Panic::default();
        panic.read_text(
            "*** Panic Report ***\npanic(cpu 0 caller 0xffffff7fb12de8d7): \"GPU Panic\"@/a:170\n\
             Process name corresponding to current thread (0xffffff95118d70c8): kernel_task\n",
        );
        assert_eq!(panic.message.as_deref(), Some("\"GPU Panic\"@/a:170"));
        let task = panic.task.expect("a task");
        assert_eq!(task.name.as_deref(), Some("kernel_task"));
    }
}
