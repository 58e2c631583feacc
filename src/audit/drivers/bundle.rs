//! The file that has a bundle's code.

use std::io;
use std::path::{Path, PathBuf};

/// Why a folder has no code to be looked at.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The system refused.
    #[error("could not be looked into: {0}")]
    Io(#[from] io::Error),
    /// Neither a bundle nor a framework.
    #[error("is a folder and no bundle (hint: name the file, or a bundle with `Contents/MacOS`)")]
    NoBundle,
    /// A bundle with several files, of which its property list names none.
    #[error("is a bundle with {0} files in `Contents/MacOS` (hint: name one)")]
    Several(usize),
}

/// The file that is meant by `path`: of a bundle or a framework its executable, else itself.
pub fn executable(path: &Path) -> Result<PathBuf, BundleError> {
    // What is not there, or is no folder, is told of when it is opened.
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let code = path.join("Contents/MacOS");
    if code.is_dir() {
        return in_bundle(path, &code);
    }
    // A framework has a link to its code, named like itself.
    let framework = path.extension().is_some_and(|it| it == "framework");
    let named = path.file_stem().map(|stem| path.join(stem));
    match named.filter(|file| framework && file.is_file()) {
        Some(file) => Ok(file),
        None => Err(BundleError::NoBundle),
    }
}

fn in_bundle(bundle: &Path, code: &Path) -> Result<PathBuf, BundleError> {
    let info = plist::Value::from_file(bundle.join("Contents/Info.plist"));
    // One that is not there or damaged names nothing: the folder decides.
    let named = info.ok().and_then(|info| {
        let name = info
            .as_dictionary()?
            .get("CFBundleExecutable")?
            .as_string()?;
        // A path would lead anywhere.
        let file = (!name.contains('/')).then(|| code.join(name))?;
        file.is_file().then_some(file)
    });
    if let Some(file) = named {
        return Ok(file);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(code)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    match files.len() {
        0 => Err(BundleError::NoBundle),
        1 => Ok(files.remove(0)),
        several => Err(BundleError::Several(several)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    #[test]
    fn a_bundle_is_its_executable() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let name = |path: &str| {
            let found = executable(&root.join(path));
            found.map(|it| it.strip_prefix(root).expect("within").display().to_string())
        };
        file(root, "A.bundle/Contents/MacOS/A", "code");
        assert_eq!(
            name("A.bundle").expect("one file"),
            "A.bundle/Contents/MacOS/A"
        );
        file(root, "A.bundle/Contents/MacOS/B", "more");
        assert!(matches!(name("A.bundle"), Err(BundleError::Several(2))));
        let info = "<plist version=\"1.0\"><dict><key>CFBundleExecutable</key><string>B</string></dict></plist>";
        file(root, "A.bundle/Contents/Info.plist", info);
        assert_eq!(
            name("A.bundle").expect("named"),
            "A.bundle/Contents/MacOS/B"
        );
        file(
            root,
            "A.bundle/Contents/Info.plist",
            &info.replace(">B<", ">../../x<"),
        );
        file(root, "A.bundle/x", "elsewhere");
        assert!(matches!(name("A.bundle"), Err(BundleError::Several(2))));
        file(root, "F.framework/F", "code");
        assert_eq!(name("F.framework").expect("a framework"), "F.framework/F");
        file(root, "plain/file", "");
        assert!(matches!(name("plain"), Err(BundleError::NoBundle)));
        assert_eq!(name("plain/file").expect("a file"), "plain/file");
        assert_eq!(name("missing").expect("itself"), "missing");
        std::fs::create_dir_all(root.join("E.bundle/Contents/MacOS")).expect("made");
        assert!(matches!(name("E.bundle"), Err(BundleError::NoBundle)));
    }
}
