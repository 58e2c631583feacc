//! The renewed signature: read by fields here, and by the reader of `agxrun inspect`.

use std::path::{Path, PathBuf};

use agxrun::audit::Binary;
use agxrun::patch::signature::{Place, SignatureError, SlotState, renew, verify};
use agxrun::patch::{Kind, patch};
use agxrun::target::image::{Contents, Flags, Image, Signature};
use sha2::{Digest, Sha256};

use crate::images::{Shape, Tools};
use crate::signing::{self, big};

fn place(image: &[u8]) -> Place {
    let parts = Binary::parse(image).expect("Mach-O");
    Place::of(parts[0].binary.as_ref().expect("whole")).expect("signed")
}

/// What the reader of `agxrun inspect` says.
fn inspected(image: &[u8]) -> Signature {
    let Contents::MachO(mut slices) = Image::from_bytes(image).expect("it is read").contents else {
        panic!("another kind")
    };
    let slice = slices.remove(0).contents.expect("it is whole");
    slice.signature.expect("signed")
}

/// A signature as a certificate's owner would have made it: requirements, entitlements, a seal of resources, CMS; SHA-256
/// and, before it, SHA-1 of nothing. Written by hand over the linker's, in `room` bytes.
fn certified(image: &mut Vec<u8>, room: usize) {
    let old = signing::signature(image);
    let identifier = b"com.apple.agx\0";
    image.truncate(old.start);
    grow(image, room);
    let be = |value: usize| u32::try_from(value).expect("small").to_be_bytes();
    let blob = |magic: u32, contents: &[u8]| {
        [&magic.to_be_bytes()[..], &be(8 + contents.len()), contents].concat()
    };
    let requirements = blob(
        0xfade_0c01,
        &[&be(1)[..], &be(3), &be(20), &[0; 12]].concat(),
    );
    let entitlements = blob(0xfade_7171, b"<plist version=\"1.0\"><dict/></plist>");
    let cms = blob(0xfade_0b01, &[7; 900]);
    let ticket = blob(0xfade_7777, &[9; 10]);
    let hash = |bytes: &[u8]| Sha256::digest(bytes).to_vec();
    let slots = [
        hash(&entitlements),
        vec![0; 32],
        vec![5; 32],
        hash(&requirements),
        vec![3; 32],
    ];
    let code = &image[..old.start];
    let pages: Vec<u8> = code.chunks(4096).flat_map(Sha256::digest).collect();
    let origin = 96 + identifier.len() + 7 + slots.len() * 32;
    let mut fields = Vec::new();
    for field in [
        0x2_0500,
        0x1_2000,
        origin,
        96,
        slots.len(),
        pages.len() / 32,
        old.start,
    ] {
        fields.extend(be(field));
    }
    fields.extend([32, 2, 15, 12]);
    fields.extend([0; 8]);
    fields.extend(be(96 + identifier.len())); // the team
    fields.extend([0; 12]);
    fields.extend([0, 0, 0, 0x4000, 0].map(be).concat().split_off(4)); // the segment's place and flags
    fields.extend([0; 8]);
    fields.extend([be(0x000e_0000), [0; 4]].concat()); // the runtime's version
    fields.truncate(88);
    fields.extend_from_slice(identifier);
    fields.extend(b"TEAM12\0");
    fields.extend(slots.concat());
    fields.extend(pages);
    let directory = blob(0xfade_0c02, &fields);
    let blobs = [
        (0, directory),
        (2, requirements),
        (5, entitlements),
        (0x1_0000, cms),
        (0x1_0002, ticket),
    ];
    let mut at = 12 + blobs.len() * 8;
    let mut signature = Vec::new();
    for (slot, blob) in &blobs {
        signature.extend([be(*slot), be(at)].concat());
        at += blob.len();
    }
    let head = [0xfade_0cc0_u32.to_be_bytes(), be(at), be(blobs.len())].concat();
    let whole = [head, signature, blobs.map(|(_, blob)| blob).concat()].concat();
    assert!(whole.len() <= room);
    image.extend_from_slice(&whole);
    image.resize(old.start + room, 0);
}

/// Makes the load commands say that the signature, at the end, has `room` bytes.
fn grow(image: &mut [u8], room: usize) {
    signing::set_signature_size(image, room);
}

#[test]
fn a_linkers_signature_stays_as_long_as_it_was() {
    let Some(tools) = Tools::find() else { return };
    for authenticated in [false, true] {
        let driver = tools.driver(Shape {
            authenticated,
            ..Shape::default()
        });
        let before = inspected(&driver);
        assert!(before.flags.has(Flags::LINKER_SIGNED));
        let patched = patch(&driver, Kind::Rebuilt).expect("it is patched");
        let after = inspected(&patched.bytes);
        assert_eq!(after.flags, Flags::AD_HOC);
        assert_eq!(after.identifier, before.identifier);
        assert!(!after.certified);
        // Every page is hashed anew, and all pages but the code's have the old hash.
        let mut again = patched.bytes.clone();
        signing::sign_again(&mut again);
        assert_eq!(again, patched.bytes);
        let place = place(&patched.bytes);
        let cdhash = {
            let start = place.signature.start + big(&patched.bytes, place.signature.start + 16);
            let size = big(&patched.bytes, start + 4);
            Sha256::digest(&patched.bytes[start..start + size])
        };
        assert_eq!(patched.parts[0].signature.cdhash[..], cdhash[..20]);
    }
}

#[test]
fn what_a_certificate_vouched_for_is_dropped_and_the_rest_kept() {
    let Some(tools) = Tools::find() else { return };
    let mut driver = tools.driver(Shape::default());
    certified(&mut driver, 8192);
    let place = place(&driver);
    let before = verify(&driver, &place).expect("it is read");
    assert_eq!(before.fault(), None);
    assert!(before.certified && !before.is_ad_hoc());

    let patched = patch(&driver, Kind::Rebuilt).unwrap_or_else(|error| panic!("{error}"));
    let renewed = &patched.parts[0].signature;
    assert!(renewed.was_certified);
    assert_eq!(renewed.dropped, [0x1_0002]);
    let after = inspected(&patched.bytes);
    // The hardened runtime and library validation restrict a process: they stay.
    assert_eq!(after.flags, Flags(0x1_2002));
    assert_eq!(
        (after.identifier.as_str(), after.team),
        ("com.apple.agx", None)
    );
    assert_eq!((after.platform, after.certified), (0, false));
    assert!(after.entitlements.is_ok());

    let verified = verify(&patched.bytes, &place).expect("it is read");
    assert_eq!(verified.fault(), None);
    assert!(verified.is_ad_hoc());
    let slots: Vec<_> = verified.directories[0]
        .slots
        .iter()
        .map(|checked| (checked.slot, checked.state))
        .collect();
    assert_eq!(
        slots,
        [
            (1, SlotState::Outside),
            (2, SlotState::Right),
            (3, SlotState::Outside),
            (5, SlotState::Right)
        ]
    );
    // Those of files beside it are the old ones.
    let directory = place.signature.start + big(&patched.bytes, place.signature.start + 16);
    let origin = directory + big(&patched.bytes, directory + 16);
    assert_eq!(patched.bytes[origin - 32..origin], [3; 32]);
    assert_eq!(patched.bytes[origin - 96..origin - 64], [5; 32]);
}

#[test]
fn a_wrong_hash_is_found_wherever_it_is() {
    let Some(tools) = Tools::find() else { return };
    let mut driver = tools.driver(Shape::default());
    certified(&mut driver, 8192);
    let place = place(&driver);
    let fault = |at: usize| {
        let mut changed = driver.clone();
        changed[at] ^= 1;
        match verify(&changed, &place) {
            Ok(verified) => verified.fault(),
            Err(error) => Some(error.to_string()),
        }
    };
    for page in [0x40, 0x1001, place.signature.start - 1] {
        let says = fault(page).expect("it is found");
        let start = page & !0xfff;
        assert!(says.contains(&format!("{start:#x}")), "{says}");
    }
    let directory = place.signature.start + big(&driver, place.signature.start + 16);
    let origin = directory + big(&driver, directory + 16);
    assert!(fault(origin).expect("it is found").contains("pages"));
    assert!(fault(origin - 64).expect("it is found").contains("slot 2"));
    assert_eq!(fault(origin - 32), None, "`Info.plist` is not in the image");
}

/// A signature of an older linker: no more than a code directory of version 0x20100, in exactly its bytes.
fn old_style(image: &mut Vec<u8>) {
    let old = signing::signature(image);
    let be = |value: usize| u32::try_from(value).expect("small").to_be_bytes();
    let size = 20 + 48 + 4 + old.start.div_ceil(4096) * 32;
    image.truncate(old.start);
    signing::set_signature_size(image, size);
    let pages = image
        .chunks(4096)
        .flat_map(Sha256::digest)
        .collect::<Vec<u8>>();
    for field in [
        0xfade_0cc0,
        size,
        1,
        0,
        20,
        0xfade_0c02,
        size - 20,
        0x2_0100,
        2,
        52,
        48,
        0,
    ] {
        image.extend(be(field));
    }
    for field in [pages.len() / 32, old.start, 0x2002_000c, 0, 0] {
        image.extend(be(field));
    }
    image.extend(b"AGX\0");
    image.extend(pages);
    assert_eq!(image.len(), old.start + size);
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let Some(tools) = Tools::find() else { return };
    let mut driver = tools.driver(Shape::default());
    old_style(&mut driver);
    let place = place(&driver);
    assert_eq!(verify(&driver, &place).expect("it is read").fault(), None);
    let mut copy = driver.clone();
    let room = place.signature.len();
    let refused = renew(&driver, &mut copy, &place).expect_err("it does not fit");
    // The fields of version 0x20400 are more.
    let needed = room + 40;
    assert_eq!(refused, SignatureError::NoRoom { needed, room });
    assert_eq!(copy, driver);
}

#[test]
fn any_damage_to_a_signature_is_found_or_bears_nothing() {
    let Some(tools) = Tools::find() else { return };
    let mut driver = tools.driver(Shape::default());
    certified(&mut driver, 4096);
    let place = place(&driver);
    let mut bears_nothing = 0;
    for at in place.signature.clone().step_by(3) {
        for change in [1, 0x80, 0xff] {
            let mut changed = driver.clone();
            changed[at] ^= change;
            let sound = verify(&changed, &place).is_ok_and(|verified| verified.fault().is_none());
            let mut copy = changed.clone();
            let renewed = renew(&changed, &mut copy, &place);
            assert_eq!(sound, renewed.is_ok(), "offset {at:#x}");
            bears_nothing += usize::from(sound);
            if renewed.is_ok() {
                let again = verify(&copy, &place).expect("it is read");
                assert_eq!(again.fault(), None, "offset {at:#x}");
            }
        }
    }
    assert!(
        bears_nothing > 0,
        "padding, and the contents of what is not hashed"
    );
}

#[test]
fn the_libraries_that_the_linker_signed_for_release() {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    let Ok(files) = std::fs::read_dir(target.join("macos/arm64")) else {
        println!("skipped: scripts/macos/build.sh has made no libraries");
        return;
    };
    let paths = files.map(|file| file.expect("an entry").path());
    for path in paths.filter(|path| path.extension().is_some_and(|it| it == "dylib")) {
        let library = std::fs::read(&path).expect("it is read");
        let place = place(&library);
        assert_eq!(verify(&library, &place).expect("signed").fault(), None);
        let mut changed = library.clone();
        changed[0x4000] ^= 1;
        renew(&library, &mut changed, &place).expect("it is renewed");
        let verified = verify(&changed, &place).expect("signed");
        assert_eq!(verified.fault(), None, "{}", path.display());
        assert!(verified.is_ad_hoc());
    }
}
