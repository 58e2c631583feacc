//! macOS's stand-ins for developer tools: `xcrun`, and `/usr/bin/python3`, `/usr/bin/git` and others,
//! which look the tool up in Xcode or the Command Line Tools and execute it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{Call, Files, Resolved};
use crate::target::image::{Contents, Image, Unreadable};

/// Which tool a stand-in looks for, and where its arguments begin.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub tool: OsString,
    /// The tool's own `argv`.
    pub argv: Vec<OsString>,
}

/// What the program that is called looks for, where it is such a stand-in: all of them link
/// `libxcselect` (xcrun(1), xcode-select(1)).
pub fn wanted(
    call: &Call,
    resolved: &Resolved,
    image: &Result<Image, Unreadable>,
) -> Option<Wanted> {
    let name = resolved.path.file_name()?;
    if name == "xcrun" {
        return by_xcrun(&call.argv);
    }
    let is_stand_in = match image {
        Ok(image) => links_xcselect(image),
        // Its path is all there is to go by.
        Err(_) => resolved.path == Path::new("/usr/bin/python3"),
    };
    (is_stand_in && name != "xcode-select").then(|| Wanted {
        tool: name.to_owned(),
        argv: call.argv.clone(),
    })
}

fn links_xcselect(image: &Image) -> bool {
    let Contents::MachO(slices) = &image.contents else {
        return false;
    };
    slices
        .iter()
        .filter_map(|slice| slice.contents.as_ref().ok())
        .flat_map(|macho| &macho.libraries)
        .any(|library| library == "/usr/lib/libxcselect.dylib")
}

/// `None` where `xcrun` runs nothing.
fn by_xcrun(argv: &[OsString]) -> Option<Wanted> {
    let mut at = 1;
    loop {
        let argument = argv.get(at)?;
        match argument.to_str().map(|text| text.trim_start_matches('-')) {
            Some(option) if argument.to_str().is_some_and(|text| text.starts_with('-')) => {
                match option {
                    "sdk" | "toolchain" => at += 1,
                    "r" | "run" | "l" | "log" | "n" | "no-cache" | "k" | "kill-cache" | "v"
                    | "verbose" => {}
                    // `--find`, `--show-sdk-path` and the like only print.
                    _ => return None,
                }
            }
            _ => {
                return Some(Wanted {
                    tool: argument.clone(),
                    argv: argv[at..].to_vec(),
                });
            }
        }
        at += 1;
    }
}

/// The tool, in the developer folder that is chosen: by `DEVELOPER_DIR`, else by `xcode-select`,
/// else Xcode's or the Command Line Tools' usual one (xcode-select(1)).
pub fn find(tool: &OsStr, call: &Call, files: &Files) -> Option<PathBuf> {
    let chosen = call
        .variables
        .get(OsStr::new("DEVELOPER_DIR"))
        .map(PathBuf::from);
    let selected = files
        .resolve(Path::new("/var/db/xcode_select_link"), Path::new("/"))
        .ok()
        .map(|found| found.path);
    [
        chosen,
        selected,
        Some(PathBuf::from("/Applications/Xcode.app/Contents/Developer")),
        Some(PathBuf::from("/Library/Developer/CommandLineTools")),
    ]
    .into_iter()
    .flatten()
    .flat_map(|folder| {
        [
            folder.join("usr/bin").join(tool),
            folder
                .join("Toolchains/XcodeDefault.xctoolchain/usr/bin")
                .join(tool),
        ]
    })
    .find(|path| files.is_executable(path, Path::new("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(words: &str) -> Option<Vec<OsString>> {
        let argv: Vec<OsString> = words.split(' ').map(OsString::from).collect();
        by_xcrun(&argv).map(|wanted| wanted.argv)
    }

    #[test]
    fn what_xcrun_runs() {
        assert_eq!(
            tool("xcrun --sdk macosx python3 -c pass").expect("a tool"),
            ["python3", "-c", "pass"]
        );
        assert_eq!(tool("xcrun -r python3").expect("a tool"), ["python3"]);
        assert_eq!(tool("xcrun --find python3"), None);
        assert_eq!(tool("xcrun"), None);
    }
}
