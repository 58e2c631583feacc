//! What stands in `target/macos/` is what it is meant to be.
//!
//! Products that are not there are passed over, since most checkouts have none, unless `AGXRUN_REQUIRE_PRODUCTS` is set to
//! the architectures that must be there (`arm64,x86_64,universal`), as `scripts/macos/inspect.sh` does.

mod common;

use agx_products::{PRODUCTS, judge, read};
use common::{Folder, checkout, imports};
use object::Architecture;

fn inspect(folder: Folder, expected: &[Architecture]) {
    for product in PRODUCTS {
        let Some(file) = folder.product(product.file) else {
            continue;
        };
        let slices = read(&file).unwrap_or_else(|error| panic!("{}: {error:#}", product.file));
        let architectures: Vec<_> = slices.iter().map(|slice| slice.architecture).collect();
        assert_eq!(architectures, expected, "{}", product.file);
        for slice in &slices {
            let differences = judge(slice, &product, &imports(&product), &checkout());
            assert!(
                differences.is_empty(),
                "{folder:?}/{} for {:?} (hint: scripts/macos/build.sh makes it anew):\n  {}",
                product.file,
                slice.architecture,
                differences.join("\n  ")
            );
            println!(
                "{folder:?}/{}: {:?}, {} bytes",
                product.file,
                slice.architecture,
                slice.data.len()
            );
        }
    }
}

#[test]
fn for_arm64() {
    inspect(Folder::Arm64, &[Architecture::Aarch64]);
}

#[test]
fn for_x86_64() {
    inspect(Folder::X86_64, &[Architecture::X86_64]);
}

#[test]
fn for_both() {
    inspect(
        Folder::Universal,
        &[Architecture::X86_64, Architecture::Aarch64],
    );
}

/// ReportCrash names a frame by the symbols of its image, without the underscore before them, and the diagnosis goes by
/// those names.
#[test]
fn the_rehearsals_methods_have_their_names() {
    const METHOD: &str = "_-[AGXG16XFamilyComputeContext setComputePipelineState:]";
    for folder in [Folder::Arm64, Folder::X86_64] {
        let Some(file) = folder.product("libagx_rehearsal.dylib") else {
            continue;
        };
        let image = object::File::parse(&*file).expect("inspected by the tests above");
        assert!(
            object::Object::symbols(&image)
                .any(|symbol| object::ObjectSymbol::name(&symbol) == Ok(METHOD)),
            "{folder:?}/libagx_rehearsal.dylib has no symbol `{METHOD}` (hint: it is built without -x)"
        );
    }
}
