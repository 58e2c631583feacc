//! Names the library by what it is loaded as, and stamps it with a build id.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("macos") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libagx_fix.dylib");
        }
        Ok("linux") => println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libagx_fix.so"),
        _ => {}
    }
    // The id is a hash of the sources' contents: the same sources give the same id on any machine.
    let mut hasher = DefaultHasher::new();
    hash_folder(Path::new("src"), &mut hasher)?;
    hash_folder(Path::new("ledger/src"), &mut hasher)?;
    hash_folder(Path::new("policy/src"), &mut hasher)?;
    println!(
        "cargo:rustc-env=AGX_FIX_BUILD_HASH={:016x}",
        hasher.finish()
    );
    Ok(())
}

fn hash_folder(folder: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|it| it.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash_folder(&path, hasher)?;
        } else {
            path.file_name().hash(hasher);
            fs::read(&path)?.hash(hasher);
        }
    }
    Ok(())
}
