//! Files on a disk: who owns them, what they are, and how much of them is read.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use agxrun::target::image::{Contents, Image};
use agxrun::target::rules::Host;
use agxrun::target::verdict::Kind::{self, Arrives, Stripped, Unknown};
use agxrun::target::verdict::Verdict;

use crate::elf::{Elf, X86_64};
use crate::macho::{ARM64, Slice};
use crate::support::{LINUX, MAC, elf_library, library, verdict};
use crate::watched::Watched;

/// A folder with one file in it.
struct Folder {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl Folder {
    fn with(contents: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("program");
        fs::write(&file, contents).expect("written");
        Folder {
            _folder: folder,
            file,
        }
    }

    fn mode(&self, mode: u32) {
        fs::set_permissions(&self.file, Permissions::from_mode(mode)).expect("the mode is set");
    }

    fn verdict(&self, library: &[u8], host: &Host) -> Verdict {
        verdict(
            "/opt/tools/bin/program",
            &Image::read(&self.file),
            &Image::from_bytes(library),
            host,
            None,
        )
    }
}

#[test]
fn programs_with_other_rights_than_their_callers() {
    let mac = (Slice::program(ARM64).build(), library(), MAC);
    let linux = (
        Elf::program(X86_64, "/lib64/ld-linux-x86-64.so.2").build(),
        elf_library(),
        LINUX,
    );
    for (program, library, host) in [mac, linux] {
        let folder = Folder::with(&program);
        let metadata = fs::metadata(&folder.file).expect("it is there");
        let owner = Host {
            user: metadata.uid(),
            group: metadata.gid(),
            ..host
        };
        let another = Host {
            user: metadata.uid() + 1,
            group: metadata.gid() + 1,
            ..host
        };
        let cases: [(u32, &Host, Kind, &str); 6] = [
            (0o755, &another, Arrives, "arrives"),
            (0o4755, &another, Stripped, "setuid"),
            (0o2755, &another, Stripped, "setgid"),
            // Mandatory locking, not a change of group.
            (0o2745, &another, Arrives, "arrives"),
            (0o4755, &owner, Arrives, "arrives"),
            (0o2755, &owner, Arrives, "arrives"),
        ];
        for (mode, host, kind, rule) in cases {
            folder.mode(mode);
            let verdict = folder.verdict(&library, host);
            assert_eq!((verdict.kind, verdict.rule), (kind, rule), "{mode:o}");
        }
    }
}

/// Setting capabilities takes a privilege; where it is missing, the flag stands for them.
#[cfg(target_os = "linux")]
#[test]
fn a_program_with_capabilities() {
    let folder = Folder::with(&Elf::program(X86_64, "/lib64/ld-linux-x86-64.so.2").build());
    let mut image = Image::read(&folder.file).expect("it is whole");
    assert!(!image.permissions.capabilities);
    // Version 2 of the attribute, cap_net_raw, permitted and effective (capabilities(7)).
    let attribute: Vec<u8> = [0x0200_0001_u32, 1 << 13, 0, 0, 0]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    match xattr::set(&folder.file, "security.capability", &attribute) {
        Ok(()) => image = Image::read(&folder.file).expect("it is whole"),
        Err(error) => {
            eprintln!("cannot set capabilities here ({error}): the reader of them is not tested");
            image.permissions.capabilities = true;
        }
    }
    let library = Image::from_bytes(&elf_library());
    let verdict = verdict("/opt/ping", &Ok(image), &library, &LINUX, None);
    assert_eq!((verdict.kind, verdict.rule), (Stripped, "capabilities"));
}

#[test]
fn what_is_no_file_is_unknown_and_waits_for_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let circle = folder.path().join("circle");
    std::os::unix::fs::symlink(&circle, &circle).expect("a link");
    let missing = folder.path().join("missing");
    let library = Image::from_bytes(&library());
    for (path, expected) in [
        (folder.path(), "not a regular file"),
        (pipe.as_path(), "not a regular file"),
        (Path::new("/dev/zero"), "not a regular file"),
        (circle.as_path(), "symbolic links"),
        (missing.as_path(), "No such file"),
    ] {
        let verdict = verdict("/opt/program", &Image::read(path), &library, &MAC, None);
        assert_eq!((verdict.kind, verdict.rule), (Unknown, "unreadable"));
        assert!(verdict.because.contains(expected), "{verdict:?}");
    }
}

#[test]
fn a_change_between_reading_and_launching_is_seen() {
    let folder = Folder::with(&Slice::program(ARM64).build());
    let image = Image::read(&folder.file).expect("it is whole");
    assert!(image.identity.still_at(&folder.file).expect("it is there"));
    let other = folder.file.with_extension("new");
    fs::copy(&folder.file, &other).expect("copied");
    fs::rename(&other, &folder.file).expect("renamed");
    assert!(!image.identity.still_at(&folder.file).expect("it is there"));
}

/// Two slices of 50 MB, the signature at the end of each.
#[test]
fn of_a_hundred_megabytes_only_headers_and_signatures_are_read() {
    let file = crate::macho::large(tempfile::tempfile().expect("a file"), 50_000_000);
    assert!(file.metadata().expect("it is open").len() > 100_000_000);
    let counting = Watched::new(&file);
    Contents::parse(&counting).expect("it is whole");
    assert!(counting.bytes() < 64 * 1024, "{} bytes", counting.bytes());
}
