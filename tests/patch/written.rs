//! The images that `tests/machine` executes: an original, its patched copy, and the published one.

use std::fs;
use std::path::PathBuf;

use agxrun::patch::{Kind, patch};

use crate::images::{Shape, Tools};

/// Writes them into the folder that `AGX_PATCH_IMAGES` names, where it does.
#[test]
fn images_for_the_machine() {
    let Some(tools) = Tools::find() else { return };
    let folder = std::env::var_os("AGX_PATCH_IMAGES").map(PathBuf::from);
    let write = |name: &str, bytes: &[u8]| {
        if let Some(folder) = &folder {
            fs::create_dir_all(folder).expect("a folder");
            fs::write(folder.join(name), bytes).expect("written");
        }
    };
    for (name, authenticated) in [("arm64", false), ("arm64e", true)] {
        let driver = tools.driver(Shape {
            authenticated,
            ..Shape::default()
        });
        write(&format!("original-{name}.dylib"), &driver);
        let copy = patch(&driver, Kind::Rebuilt).expect("it is patched");
        assert!(
            copy.parts[0]
                .methods
                .iter()
                .all(|method| method.proof.frees)
        );
        write(&format!("rebuilt-{name}.dylib"), &copy.bytes);
    }
    let driver = tools.driver(Shape {
        authenticated: true,
        published: true,
        ..Shape::default()
    });
    let copy = patch(&driver, Kind::Published).expect("it is patched");
    assert!(!copy.parts[0].methods[0].proof.frees);
    write("published-original.dylib", &driver);
    write("published.dylib", &copy.bytes);
    // The same build, without the leak.
    let copy = patch(&driver, Kind::Rebuilt).expect("it is patched");
    write("published-rebuilt.dylib", &copy.bytes);
}
