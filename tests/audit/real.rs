//! Real images: what is read of them is what LLVM reads.

use std::env;
use std::path::Path;
use std::time::{Duration, Instant};

use agxrun::audit::{Binary, MappedFile, ReadError};
use agxrun::target::image::Unreadable;

use crate::llvm;

#[test]
#[ignore = "reads the files in AGXRUN_REAL_AUDIT; scripts/real-audit.sh fetches them and starts it"]
fn images_of_package_registries() {
    let folder = env::var_os("AGXRUN_REAL_AUDIT").expect("AGXRUN_REAL_AUDIT names a folder");
    let objdump = llvm::objdump();
    let (mut images, mut classes, mut methods) = (0, 0, 0);
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.expect("the folder can be read");
        if !entry.file_type().is_file() {
            continue;
        }
        for (images_of, classes_of, methods_of) in read(entry.path(), objdump.as_deref()) {
            images += images_of;
            classes += classes_of;
            methods += methods_of;
        }
    }
    println!("{images} images with {classes} classes and {methods} methods");
    assert!(images > 0, "the folder has an image");
}

/// One, and how many classes and methods it has, for each image of a file.
fn read(path: &Path, objdump: Option<&Path>) -> Vec<(usize, usize, usize)> {
    let file = MappedFile::open(path).expect("it can be read");
    let start = Instant::now();
    let parts = match Binary::parse(file.bytes()) {
        Ok(parts) => parts,
        Err(ReadError::NotMachO | ReadError::Unreadable(Unreadable::Malformed { .. })) => {
            return Vec::new();
        }
        Err(error) => panic!("{}: {error}", path.display()),
    };
    let mut found = Vec::new();
    for part in &parts {
        let binary = match &part.binary {
            Ok(binary) => binary,
            Err(ReadError::Unsupported(_)) => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        let objc = binary.objc();
        let name = format!("{} ({})", path.display(), part.processor);
        assert!(binary.gaps().is_empty(), "{name}: {:?}", binary.gaps());
        assert!(objc.gaps.is_empty(), "{name}: {:?}", objc.gaps);
        let ours = llvm::ours(&objc);
        let methods: usize = ours
            .iter()
            .map(|(_, own, class)| own.len() + class.len())
            .sum();
        println!(
            "{name}: {} classes, {methods} methods, {} categories, {} protocols, {} references, {} stubs, {} pointers",
            ours.len(),
            objc.categories.len(),
            objc.protocols.len(),
            objc.selector_references.len(),
            objc.stubs.len(),
            binary.pointers().count(),
        );
        if let Some(objdump) = objdump {
            llvm::compare(objdump, path, binary);
        }
        found.push((1, ours.len(), methods));
    }
    let took = start.elapsed();
    assert!(
        took < Duration::from_mins(1),
        "{took:?} for {}",
        path.display()
    );
    found
}
