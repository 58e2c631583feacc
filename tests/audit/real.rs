//! Real images: what is read of them is what LLVM reads.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use agxrun::audit::{Binary, Code, MappedFile, Objc, ReadError, bypass};
use agxrun::target::image::Unreadable;

use crate::llvm;

#[test]
#[ignore = "reads the files in AGXRUN_REAL_AUDIT; scripts/real-audit.sh fetches them and starts it"]
fn images_of_package_registries() {
    let folder = env::var_os("AGXRUN_REAL_AUDIT").expect("AGXRUN_REAL_AUDIT names a folder");
    let objdump = llvm::objdump();
    let lief = Lief::read();
    let (mut images, mut classes, mut methods) = (0, 0, 0);
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.expect("the folder can be read");
        if !entry.file_type().is_file() {
            continue;
        }
        for (images_of, classes_of, methods_of) in read(entry.path(), objdump.as_deref(), &lief) {
            images += images_of;
            classes += classes_of;
            methods += methods_of;
        }
    }
    println!("{images} images with {classes} classes and {methods} methods");
    assert!(images > 0, "the folder has an image");
}

/// One, and how many classes and methods it has, for each image of a file.
fn read(path: &Path, objdump: Option<&Path>, lief: &Lief) -> Vec<(usize, usize, usize)> {
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
        lief.compare(path, binary);
        code(&name, binary, &objc);
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

/// How many places the loader adjusts, as LIEF says it: by path and processor.
#[derive(Default)]
struct Lief(HashMap<(String, String), usize>);

impl Lief {
    /// What `scripts/real-audit.sh` has written; nothing where it could not have LIEF.
    fn read() -> Self {
        let Some(file) = env::var_os("AGXRUN_REAL_AUDIT_LIEF").filter(|it| !it.is_empty()) else {
            return Lief::default();
        };
        let text = fs::read_to_string(file).expect("it can be read");
        let rows = text.lines().map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            let mut field = || fields.next().expect("three fields");
            let key = (field(), field());
            (key, field().parse().expect("a number"))
        });
        Lief(rows.collect())
    }

    fn compare(&self, path: &Path, binary: &Binary<'_>) {
        if self.0.is_empty() {
            return;
        }
        let key = (path.display().to_string(), binary.processor().to_string());
        let ours: BTreeSet<u64> = binary.pointers().collect();
        assert_eq!(Some(&ours.len()), self.0.get(&key), "{key:?}");
    }
}

/// All code of compilers is decoded, and nothing that it has breaks the search.
fn code(name: &str, binary: &Binary<'_>, objc: &Objc<'_>) {
    let Some(code) = Code::of(binary, objc) else {
        return;
    };
    assert!(code.gaps().is_empty(), "{name}: {:?}", code.gaps());
    let methods = objc.classes.iter().flat_map(|it| &it.instance_methods);
    let targets = methods.filter_map(|method| method.implementation);
    let start = Instant::now();
    let found = bypass::find(&code, &targets.collect(), &mut |_| {});
    let took = start.elapsed();
    let looked_at = found.looked_at;
    println!(
        "{name}: {} ways to {} methods, {} lookups, {} direct methods in {} instructions ({} not decoded) and {} functions, {took:?}",
        found.references.len(),
        looked_at.methods,
        found.lookups.len(),
        found.direct_methods.len(),
        looked_at.instructions,
        looked_at.undecoded,
        looked_at.functions,
    );
    for reference in &found.references {
        println!(
            "    {:?} {:?}",
            reference.kind,
            code.place_of(reference.address)
        );
    }
    for lookup in &found.lookups {
        println!("    {} {}", lookup.name, lookup.uses.len());
    }
    for direct in found.direct_methods.iter().take(5) {
        println!("    {}", direct.symbol);
    }
}
