//! Speed of reading what decides about an inserted library.

#[path = "../tests/target_images/macho.rs"]
#[allow(dead_code)] // The tests make more kinds of file.
mod macho;
#[path = "../tests/target_images/signature.rs"]
#[allow(dead_code)] // As above.
mod signature;

use std::fs::File;
use std::hint::black_box;
use std::path::Path;

use agxrun::target::image::{Contents, Image, Processor};
use agxrun::target::rules::{Host, Library, Program, System, judge};
use agxrun::target::{FixLibrary, Surroundings, inspect as inspect_command};
use criterion::{Criterion, criterion_group, criterion_main};

use macho::Slice;
use signature::{DYLD_VARIABLES, NO_LIBRARY_VALIDATION, RUNTIME, Signature};

const MAC: Host = Host {
    system: System::MacOs,
    processor: Processor::Arm64,
    sip: true,
    user: 501,
    group: 20,
};

/// A program in one piece and one of 100 MB, each read from the disk's cache and judged.
fn inspect(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let ordinary = folder.path().join("ordinary");
    let signed = Slice::program(macho::ARM64)
        .signed(Signature::developer(RUNTIME).entitled(&[DYLD_VARIABLES, NO_LIBRARY_VALIDATION]));
    std::fs::write(&ordinary, signed.build()).expect("written");
    let universal = folder.path().join("universal");
    let file = File::options()
        .create_new(true)
        .read(true)
        .write(true)
        .open(&universal)
        .expect("a file");
    macho::large(file, 50_000_000);
    let library = Image::from_bytes(&Slice::library(macho::ARM64).build());

    let mut group = criterion.benchmark_group("inspect");
    let own = std::env::current_exe().expect("a path");
    for (name, path) in [
        ("ordinary", ordinary.as_path()),
        ("universal of 100 MB", &universal),
        ("this program (ELF)", &own),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| judged(black_box(path), &library));
        });
    }
    group.finish();
}

/// What a run adds before the launch: the library and every file from the command to its program.
fn preflight(criterion: &mut Criterion) {
    let library = std::env::current_exe().expect("a path");
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("script");
    std::fs::write(&script, "#!/usr/bin/env -S nice -n 1 sh\n").expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).expect("the mode is set");
    let mut group = criterion.benchmark_group("preflight");
    for (name, command) in [
        ("one program", vec!["true".into()]),
        ("script, env, wrapper, shell", vec![script.into()]),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let surroundings = Surroundings::current(std::env::vars_os());
                let library = FixLibrary::read(black_box(&library));
                inspect_command(&command, None, &library, &surroundings)
                    .steps
                    .len()
            });
        });
    }
    group.finish();
}

fn judged(path: &Path, library: &Result<Image, agxrun::target::image::Unreadable>) -> &'static str {
    let image = Image::read(path);
    assert!(
        !matches!(&image, Ok(image) if matches!(image.contents, Contents::Other)),
        "it is a program"
    );
    let program = Program {
        path,
        image: image.as_ref(),
        preference: None,
    };
    let library = Library {
        path: Path::new("/opt/libagx_fix.dylib"),
        image: library.as_ref(),
    };
    judge(&program, &library, &MAC).rule
}

criterion_group!(benches, inspect, preflight);
criterion_main!(benches);
