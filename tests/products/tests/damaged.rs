//! The inspection notices: copies of the fix library, each damaged in one way, are refused, each for its reason.

mod common;

use agx_products::{PRODUCTS, judge, read};
use common::{Folder, checkout, imports};

/// Load commands as they stand in the file, little-endian (mach-o/loader.h).
const BUILD_VERSION: &[u8] = &[0x32, 0, 0, 0, 0x20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 11, 0];
const CODE_SIGNATURE: &[u8] = &[0x1d, 0, 0, 0, 16, 0, 0, 0];

/// Puts `new` where `old` stands for the first time.
fn replace(file: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let at = file.windows(old.len()).position(|window| window == old);
    let at = at.unwrap_or_else(|| panic!("{:?} is not there", old.escape_ascii().to_string()));
    file[at..at + new.len()].copy_from_slice(new);
}

/// What is said of a copy of the library after `damage`; `None` where there is no library.
fn said_of(damage: impl FnOnce(&mut Vec<u8>)) -> Option<String> {
    let product = PRODUCTS[0];
    let mut file = Folder::Arm64.product(product.file)?;
    damage(&mut file);
    let differences = match read(&file) {
        Ok(slices) => judge(&slices[0], &product, &imports(&product), &checkout()),
        Err(error) => vec![format!("{error:#}")],
    };
    Some(differences.join("\n"))
}

/// A copy with this damage is refused for this reason.
fn refused(reason: &str, damage: impl FnOnce(&mut Vec<u8>)) {
    if let Some(said) = said_of(damage) {
        assert!(
            said.contains(reason),
            "not for `{reason}`, but for:\n{said}"
        );
    }
}

#[test]
fn an_undamaged_copy_is_taken() {
    assert_eq!(said_of(|_| {}).unwrap_or_default(), "");
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    for share in 1..8 {
        refused("is not what was signed", |file| {
            // Before the symbol table and the signature, in code and data, where nothing else would notice.
            let at = file.len() * share / 16;
            file[at] ^= 1;
        });
    }
}

#[test]
fn a_missing_signature_is_refused() {
    refused("signature: it is not signed", |file| {
        // LC_DATA_IN_CODE, which has the same shape.
        replace(file, CODE_SIGNATURE, &[0x29, 0, 0, 0, 16, 0, 0, 0]);
    });
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    refused("the signature is cut off", |file| {
        file.truncate(file.len() - 1);
    });
    refused("Invalid Mach-O", |file| file.truncate(16));
}

#[test]
fn another_import_is_refused() {
    refused("imports _getpgid of /usr/lib/libSystem.B.dylib", |file| {
        replace(file, b"\0_getppid\0", b"\0_getpgid\0");
    });
}

#[test]
fn another_library_is_refused() {
    refused("linked against /usr/lib/libobjc.B.dylib", |file| {
        replace(
            file,
            b"/usr/lib/libobjc.A.dylib",
            b"/usr/lib/libobjc.B.dylib",
        );
    });
}

#[test]
fn a_newer_system_as_minimum_is_refused() {
    refused("not for macOS 11.0", |file| {
        let mut newer = BUILD_VERSION.to_vec();
        newer[14] = 13;
        replace(file, BUILD_VERSION, &newer);
    });
}

#[test]
fn another_install_name_is_refused() {
    refused("install name Some(\"@rpath/libagx_fux.dylib\")", |file| {
        replace(file, b"@rpath/libagx_fix.dylib", b"@rpath/libagx_fux.dylib");
    });
}

#[test]
fn another_export_is_refused() {
    refused("exports _agy_fix_policy", |file| {
        replace(file, b"\0_agx_fix_policy\0", b"\0_agy_fix_policy\0");
    });
}

#[test]
fn another_section_is_refused() {
    refused("section __DATA,__intorpose", |file| {
        replace(file, b"__interpose", b"__intorpose");
    });
    refused("interposes []", |file| {
        replace(file, b"__interpose", b"__intorpose");
    });
}

#[test]
fn a_path_of_this_machine_is_refused() {
    refused(
        "a path of the machine that built it: \"/root/.cargo",
        |file| {
            let at = file.len() / 2;
            file[at..at + 16].copy_from_slice(b"\0/root/.cargo/x\0");
        },
    );
}
