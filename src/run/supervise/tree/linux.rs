//! The tree by `/proc`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::run::supervise::outcome::Descendants;

/// The children of `pid` that are alive (not zombies). A process that is gone has none.
pub(super) fn children(pid: i32) -> Vec<i32> {
    // Kernels without CONFIG_PROC_CHILDREN, and sandboxes such as gVisor, lack the lists.
    if fs::exists("/proc/thread-self/children").unwrap_or(false) {
        listed_children(pid)
    } else {
        searched_children(pid)
    }
}

/// By the lists that the kernel keeps for each thread.
fn listed_children(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    threads
        .filter_map(Result::ok) // a thread that ended meanwhile
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| {
            list.split_ascii_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<i32>>()
        })
        .filter(|pid| is_alive(*pid))
        .collect()
}

/// By asking every process for its parent.
fn searched_children(pid: i32) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|candidate| {
            stat(*candidate).is_ok_and(|stat| {
                field(&stat, PARENT).and_then(|parent| parent.parse().ok()) == Some(pid)
            }) && is_alive(*candidate)
        })
        .collect()
}

/// Makes orphans of the tree ours: `PR_SET_CHILD_SUBREAPER`. Returns the children that we have
/// already.
pub(in crate::run::supervise) fn adopt_orphans() -> io::Result<BTreeSet<i32>> {
    nix::sys::prctl::set_child_subreaper(true)?;
    Ok(children(nix::unistd::getpid().as_raw())
        .into_iter()
        .collect())
}

/// Where a walk begins: orphans are our own children, as we are their subreaper.
pub(super) fn roots(target: i32) -> Vec<i32> {
    let mut roots = children(target);
    roots.extend(orphans());
    roots
}

/// The living orphans of the tree, among our other children.
pub(super) fn orphans() -> Vec<i32> {
    children(nix::unistd::getpid().as_raw())
}

/// A program file, by which a process is recognised.
pub(super) struct Program {
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
    /// What the kernel names its processes: `proc_pid_comm(5)`, the first 15 bytes of the file's name.
    comm: Vec<u8>,
}

impl Program {
    /// `None`: there is no such file, so that nothing runs it.
    pub(super) fn find(path: &Path) -> Option<Self> {
        let path = fs::canonicalize(path).ok()?;
        let file = identity(&fs::metadata(&path).ok()?);
        let name = path.file_name()?.as_bytes();
        Some(Program {
            file,
            comm: name[..name.len().min(15)].to_vec(),
            path,
        })
    }

    /// By the executable, which is the same file, or one that has taken its place. A process that has
    /// ended has none, and another user's is hidden: then by the name that the kernel keeps.
    pub(super) fn is_run_by(&self, pid: i32) -> bool {
        let exe = format!("/proc/{pid}/exe");
        match (fs::metadata(&exe), fs::read_link(&exe)) {
            (Ok(file), _) if self.file == identity(&file) => true,
            (_, Ok(path)) => path == self.path,
            (_, Err(_)) => fs::read(format!("/proc/{pid}/comm"))
                .is_ok_and(|name| name.strip_suffix(b"\n") == Some(&self.comm)),
        }
    }
}

fn identity(file: &fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

fn is_alive(pid: i32) -> bool {
    stat(pid).is_ok_and(|stat| !matches!(field(&stat, STATE), Some("Z" | "X") | None))
}

// Fields of /proc/PID/stat after the command's closing parenthesis: proc_pid_stat(5), (3), (4) and (11).
const STATE: usize = 0;
const PARENT: usize = 1;
const CHILDREN_MINOR_FAULTS: usize = 8;

fn stat(pid: i32) -> io::Result<String> {
    // The command name may hold any bytes.
    fs::read(format!("/proc/{pid}/stat")).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn field(stat: &str, index: usize) -> Option<&str> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(index)
}

/// Tells whether a process ever had children. Here its accounts say it afterwards.
pub(in crate::run::supervise) struct ForkWatch(i32);

impl ForkWatch {
    /// Before the target can fork; here nothing needs watching.
    pub(in crate::run::supervise) fn start(pid: i32) -> Self {
        ForkWatch(pid)
    }

    /// Reads the accounts of the process, ended but not reaped. A child that was waited for has left its
    /// page faults with its parent (any process takes some to start); one that was not is found
    /// among the orphans.
    pub(in crate::run::supervise) fn verdict(&self) -> Descendants {
        let pid = self.0;
        let faults = stat(pid).map(|stat| {
            field(&stat, CHILDREN_MINOR_FAULTS).and_then(|faults| faults.parse::<u64>().ok())
        });
        match faults {
            Ok(Some(0)) => match ignores_sigchld(pid) {
                Some(false) => Descendants::None,
                _ => Descendants::Unknown(
                    "the target ignored SIGCHLD, so the system kept no account of its children"
                        .to_owned(),
                ),
            },
            Ok(Some(_)) => Descendants::Some,
            Ok(None) => Descendants::Unknown(format!("/proc/{pid}/stat is not understood")),
            Err(error) => Descendants::Unknown(format!("cannot read /proc/{pid}/stat: {error}")),
        }
    }
}

/// `None` where `/proc` does not say.
fn ignores_sigchld(pid: i32) -> Option<bool> {
    let status = fs::read(format!("/proc/{pid}/status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    let mask = status.lines().find_map(|l| l.strip_prefix("SigIgn:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    Some(mask & (1 << (libc::SIGCHLD - 1)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_find_the_same_children() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("it starts");
        let us = nix::unistd::getpid().as_raw();
        let pid = i32::try_from(child.id()).expect("a pid");
        let (listed, searched) = (listed_children(us), searched_children(us));
        child.kill().expect("it lives");
        child.wait().expect("it ends");
        assert!(listed.contains(&pid) && searched.contains(&pid));
        assert!(!searched_children(us).contains(&pid));
    }

    #[test]
    fn a_program_is_recognised_alive_and_ended() {
        let program = |path: &str| Program::find(Path::new(path)).expect("a program");
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("60")
            .spawn()
            .expect("it starts");
        let pid = i32::try_from(child.id()).expect("a pid");
        assert!(program("/bin/sleep").is_run_by(pid));
        assert!(!program("/bin/true").is_run_by(pid));
        child.kill().expect("it lives");
        // Ended, and not reaped.
        nix::sys::wait::waitid(
            nix::sys::wait::Id::Pid(nix::unistd::Pid::from_raw(pid)),
            nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT,
        )
        .expect("it ends");
        let known = program("/bin/sleep").is_run_by(pid);
        let mistaken = program("/bin/true").is_run_by(pid);
        child.wait().expect("it ends");
        assert!(known && !mistaken);
        assert!(!program("/bin/sleep").is_run_by(pid), "it is gone");
    }

    #[test]
    fn a_command_name_may_hold_parentheses() {
        let stat = "7 (a) Z (b) S 1 7 7 0 -1 4194304 120 33 0";
        assert_eq!(field(stat, STATE), Some("S"));
        assert_eq!(field(stat, CHILDREN_MINOR_FAULTS), Some("33"));
        assert_eq!(field("no parenthesis", STATE), None);
    }
}
