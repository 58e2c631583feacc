//! Programs that package registries ship for Macs, with the verdicts that they must get, and the library
//! as it is cross-compiled.
//!
//! `scripts/real-binaries.sh` fetches the programs and runs this; everyday tests need no network.

use std::env;
use std::path::PathBuf;

use agxrun::target::image::{Contents, FileType, Flags, Image, Platform, Processor};
use agxrun::target::verdict::Kind::{self, Arrives, Fatal, Stripped};

use crate::macho::{ARM64, Slice};
use crate::signature::{DYLD_VARIABLES, NO_LIBRARY_VALIDATION, RUNTIME, Signature};
use crate::support::{MAC, library, verdict};

/// Name, as the script files it; processor, flags, team; and what becomes of the library. Read off
/// `codesign -dv` and the release processes of the projects: Node.js's wheels, uv, ruff, biome and
/// esbuild are signed by their linkers; bun and deno ask for both entitlements; the TypeScript compiler
/// asks for none; Go leaves Intel programs unsigned.
type Row = (
    &'static str,
    Processor,
    Option<(u32, Option<&'static str>)>,
    Kind,
    &'static str,
);

const LINKER_SIGNED: Option<(u32, Option<&str>)> = Some((0x2_0002, None));

const EXPECTED: [Row; 9] = [
    ("node", Processor::Arm64, LINKER_SIGNED, Arrives, "arrives"),
    ("ruff", Processor::Arm64, LINKER_SIGNED, Arrives, "arrives"),
    ("uv", Processor::Arm64, LINKER_SIGNED, Arrives, "arrives"),
    ("biome", Processor::Arm64, LINKER_SIGNED, Arrives, "arrives"),
    (
        "esbuild",
        Processor::Arm64,
        LINKER_SIGNED,
        Arrives,
        "arrives",
    ),
    ("esbuild-x64", Processor::X86_64, None, Arrives, "arrives"),
    (
        "bun",
        Processor::Arm64,
        Some((0x1_0000, Some("7FRXF46ZSN"))),
        Arrives,
        "arrives",
    ),
    (
        "deno",
        Processor::Arm64,
        Some((0x1_0000, Some("2H4KBF436B"))),
        Arrives,
        "arrives",
    ),
    (
        "tsgo",
        Processor::Arm64,
        Some((0x1_0000, Some("UBF8T346G9"))),
        Stripped,
        "hardened-runtime",
    ),
];

#[test]
#[ignore = "needs the files that scripts/real-binaries.sh fetches, in AGXRUN_REAL_BINARIES"]
fn programs_of_package_registries() {
    let folder = PathBuf::from(
        env::var_os("AGXRUN_REAL_BINARIES").expect("AGXRUN_REAL_BINARIES names a folder"),
    );
    let library = Image::from_bytes(&library());
    let mut seen = 0;
    for (name, processor, signature, kind, rule) in EXPECTED {
        let path = folder.join(name);
        if !path.exists() {
            eprintln!("skipped {name}: it was not fetched");
            continue;
        }
        seen += 1;
        let image = Image::read(&path);
        let found = verdict(&format!("/opt/{name}"), &image, &library, &MAC, None);
        assert_eq!((found.kind, found.rule), (kind, rule), "{name}: {found:?}");
        let Contents::MachO(slices) = image.expect("it got a verdict").contents else {
            panic!("{name} is Mach-O");
        };
        assert_eq!(slices.len(), 1, "{name}");
        assert_eq!(slices[0].processor, processor, "{name}");
        let macho = slices[0].contents.as_ref().expect("it got a verdict");
        assert_eq!(
            macho
                .signature
                .as_ref()
                .map(|read| (read.flags.0, read.team.as_deref())),
            signature,
            "{name}"
        );
        assert!(
            macho
                .libraries
                .iter()
                .any(|library| library == "/usr/lib/libSystem.B.dylib"),
            "{name}: {:?}",
            macho.libraries
        );
    }
    assert!(seen > 0, "nothing was fetched into {}", folder.display());
}

#[test]
#[ignore = "needs a cross-compiled library, named by AGXRUN_MACOS_LIBRARY"]
fn the_library_as_it_is_cross_compiled() {
    let path = PathBuf::from(
        env::var_os("AGXRUN_MACOS_LIBRARY").expect("AGXRUN_MACOS_LIBRARY names a dylib"),
    );
    let image = Image::read(&path);
    let Ok(Image {
        contents: Contents::MachO(slices),
        ..
    }) = &image
    else {
        panic!("{} is not Mach-O: {image:?}", path.display());
    };
    for slice in slices {
        let macho = slice.contents.as_ref().expect("every slice is whole");
        assert_eq!(macho.file_type, FileType::Library);
        assert_eq!(macho.platforms, [Platform::MacOs]);
        let signature = macho.signature.as_ref().expect("it is signed");
        assert!(signature.flags.has(Flags::AD_HOC));
        assert!(!signature.certified && signature.team.is_none());
    }
    for (entitlements, expected) in [
        (&[DYLD_VARIABLES, NO_LIBRARY_VALIDATION][..], Arrives),
        (&[DYLD_VARIABLES], Fatal),
        (&[], Stripped),
    ] {
        let program = Slice::program(ARM64)
            .signed(Signature::developer(RUNTIME).entitled(entitlements))
            .build();
        let found = verdict(
            "/opt/program",
            &Image::from_bytes(&program),
            &image,
            &MAC,
            None,
        );
        assert_eq!(found.kind, expected, "{entitlements:?}: {found:?}");
    }
}
