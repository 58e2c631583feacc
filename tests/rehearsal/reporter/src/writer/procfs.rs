//! What `/proc` says about a process. Parsing is apart from reading.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// One line of `/proc/PID/maps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// One past the last address.
    pub end: u64,
    /// Whether code can run in it.
    pub executable: bool,
    /// Where in the file it begins, bytes.
    pub offset: u64,
    /// The file's inode number, 0 without a file.
    pub inode: u64,
    /// Path of the file, `[stack]` and the like, or nothing.
    pub path: String,
}

/// Fields of `/proc/PID/stat`, `proc_pid_stat(5)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Name, at most 15 bytes.
    pub comm: String,
    /// `R`, `S`, `Z` and so on.
    pub state: char,
    /// Parent's process id.
    pub ppid: i32,
    /// Session id: the process id of the session's leader.
    pub session: i32,
    /// Start time, clock ticks since boot.
    pub start_ticks: u64,
}

/// The mappings that `text` lists; a line that makes no sense is left out.
pub fn parse_maps(text: &str) -> Vec<Mapping> {
    text.lines().filter_map(parse_mapping).collect()
}

fn parse_mapping(line: &str) -> Option<Mapping> {
    let mut fields = line.splitn(6, ' ');
    let (start, end) = fields.next()?.split_once('-')?;
    let permissions = fields.next()?;
    let offset = fields.next()?;
    let _device = fields.next()?;
    let inode = fields.next()?;
    Some(Mapping {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        executable: permissions.as_bytes().get(2) == Some(&b'x'),
        offset: u64::from_str_radix(offset, 16).ok()?,
        inode: inode.parse().ok()?,
        path: fields.next().unwrap_or("").trim_start().to_owned(),
    })
}

/// The fields of a `stat` line. The name may hold blanks and parentheses, so the last parenthesis ends it.
pub fn parse_stat(text: &str) -> Option<Stat> {
    let (head, tail) = text.rsplit_once(')')?;
    let (_, comm) = head.split_once('(')?;
    let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
    Some(Stat {
        comm: comm.to_owned(),
        state: fields.first()?.chars().next()?,
        ppid: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

/// The mappings of `pid`, none if it is gone.
pub fn maps(pid: i32) -> Vec<Mapping> {
    parse_maps(&read(&format!("/proc/{pid}/maps")).unwrap_or_default())
}

/// The state of `pid`, None if it is gone.
pub fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&read(&format!("/proc/{pid}/stat"))?)
}

/// The state of one thread.
pub fn thread_stat(pid: i32, tid: i32) -> Option<Stat> {
    parse_stat(&read(&format!("/proc/{pid}/task/{tid}/stat"))?)
}

/// The threads of `pid`, by id, the main thread first.
pub fn threads(pid: i32) -> Vec<i32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let mut threads: Vec<i32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    threads.sort_by_key(|&tid| (tid != pid, tid));
    threads
}

/// The program file of `pid`; for a deleted one, the path it had.
pub fn executable(pid: i32) -> Option<PathBuf> {
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(
        match path
            .to_str()
            .and_then(|path| path.strip_suffix(" (deleted)"))
        {
            Some(path) => PathBuf::from(path),
            None => path,
        },
    )
}

/// What a process is called: its program's file name, as on macOS, or the kernel's short name.
pub fn name(executable: Option<&Path>, stat: Option<&Stat>) -> String {
    executable
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy().into_owned())
        .or_else(|| stat.map(|stat| stat.comm.clone()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The name of `pid`, None if it is gone.
pub fn name_of(pid: i32) -> Option<String> {
    let stat = stat(pid)?;
    Some(name(executable(pid).as_deref(), Some(&stat)))
}

/// The user that owns `pid`.
pub fn user(pid: i32) -> Option<u32> {
    Some(fs::metadata(format!("/proc/{pid}")).ok()?.uid())
}

/// A file's text; bytes that are not UTF-8 are replaced, so that one odd path costs nothing else.
fn read(path: &str) -> Option<String> {
    fs::read(path)
        .ok()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mapping_keeps_blanks_in_its_path() {
        let line = "7f0e4a000000-7f0e4a021000 r-xp 00001000 fe:00 1234                       /tmp/a b.so (deleted)";
        let expected = Mapping {
            start: 0x7f0e_4a00_0000,
            end: 0x7f0e_4a02_1000,
            executable: true,
            offset: 0x1000,
            inode: 1234,
            path: "/tmp/a b.so (deleted)".to_owned(),
        };
        assert_eq!(parse_maps(line), [expected]);
    }

    #[test]
    fn a_name_may_hold_parentheses() {
        let line = "42 (a) b (c) S 7 42 41 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 3 0 98765 1 2";
        let stat = parse_stat(line).expect("a stat line");
        assert_eq!(stat.comm, "a) b (c");
        assert_eq!(
            (stat.state, stat.ppid, stat.session, stat.start_ticks),
            ('S', 7, 41, 98765)
        );
    }

    #[test]
    fn this_process_is_listed() {
        let pid = std::process::id().cast_signed();
        let stat = stat(pid).expect("own stat");
        assert_eq!(stat.ppid, nix::unistd::getppid().as_raw());
        assert!(threads(pid).first() == Some(&pid));
        assert!(maps(pid).iter().any(|mapping| mapping.executable));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            parse_maps(&text);
            parse_stat(&text);
        }

        #[test]
        fn any_mapping_reads_back(
            start in 0..u64::MAX / 2, len in 1..1_u64 << 40, offset in any::<u64>(),
            inode in any::<u64>(), executable in any::<bool>(), path in "/[a-z./ ]{0,30}[a-z]"
        ) {
            let end = start + len;
            let x = if executable { 'x' } else { '-' };
            let line = format!("{start:x}-{end:x} r-{x}p {offset:08x} 00:01 {inode} {path}");
            prop_assert_eq!(
                parse_maps(&line),
                [Mapping { start, end, executable, offset, inode, path }]
            );
        }
    }
}
