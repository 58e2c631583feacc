//! Programs of a Mac by their signatures, one row a kind.

use agxrun::target::verdict::Kind::{Arrives, Fatal, Stripped, Unknown};

use crate::macho::{Slice, X86_64};
use crate::signature::{
    DYLD_VARIABLES, FORCED_LV, GET_TASK_ALLOW, NO_LIBRARY_VALIDATION, REQUIRE_LV, RESTRICT,
    RUNTIME, SANDBOX, Signature, der, xml,
};
use crate::support::{arm64, check, hardened};

#[test]
fn by_signature() {
    let developer = |flags| arm64().signed(Signature::developer(flags)).build();
    check(vec![
        ("linker-signed", arm64().build(), Arrives, "arrives"),
        (
            "ad hoc",
            arm64().signed(Signature::ad_hoc(0)).build(),
            Arrives,
            "arrives",
        ),
        ("a developer's", developer(0), Arrives, "arrives"),
        ("restrict", developer(RESTRICT), Stripped, "restrict-flag"),
        (
            "library validation",
            developer(REQUIRE_LV),
            Fatal,
            "library-validation",
        ),
        (
            "forced library validation",
            developer(FORCED_LV),
            Fatal,
            "library-validation",
        ),
        (
            "restrict before library validation",
            developer(RESTRICT | REQUIRE_LV),
            Stripped,
            "restrict-flag",
        ),
        (
            "unsigned arm64",
            arm64().unsigned().build(),
            Fatal,
            "unsigned",
        ),
        (
            "unsigned x86_64",
            Slice::program(X86_64).unsigned().build(),
            Arrives,
            "arrives",
        ),
        (
            "a part of macOS",
            arm64()
                .signed(Signature {
                    platform: 15,
                    certified: true,
                    ..Signature::ad_hoc(0)
                })
                .build(),
            Unknown,
            "platform-binary",
        ),
    ]);
}

#[test]
fn by_entitlement_under_the_hardened_runtime() {
    check(vec![
        ("none", hardened(&[]), Stripped, "hardened-runtime"),
        (
            "no blob at all",
            arm64().signed(Signature::developer(RUNTIME)).build(),
            Stripped,
            "hardened-runtime",
        ),
        (
            "ad hoc",
            arm64().signed(Signature::ad_hoc(RUNTIME)).build(),
            Stripped,
            "hardened-runtime",
        ),
        (
            "variables",
            hardened(&[DYLD_VARIABLES]),
            Fatal,
            "library-validation",
        ),
        (
            "libraries",
            hardened(&[NO_LIBRARY_VALIDATION]),
            Stripped,
            "hardened-runtime",
        ),
        (
            "both",
            hardened(&[DYLD_VARIABLES, NO_LIBRARY_VALIDATION]),
            Arrives,
            "arrives",
        ),
        (
            "both, among others",
            hardened(&[
                "com.apple.security.cs.allow-jit",
                DYLD_VARIABLES,
                NO_LIBRARY_VALIDATION,
            ]),
            Arrives,
            "arrives",
        ),
        (
            "debuggable",
            hardened(&[GET_TASK_ALLOW]),
            Fatal,
            "library-validation",
        ),
        (
            "debuggable, libraries",
            hardened(&[GET_TASK_ALLOW, NO_LIBRARY_VALIDATION]),
            Unknown,
            "get-task-allow",
        ),
        (
            "all three",
            hardened(&[GET_TASK_ALLOW, NO_LIBRARY_VALIDATION, DYLD_VARIABLES]),
            Arrives,
            "arrives",
        ),
        (
            "sandboxed",
            hardened(&[SANDBOX, DYLD_VARIABLES, NO_LIBRARY_VALIDATION]),
            Unknown,
            "sandbox",
        ),
        (
            "both, and library validation by flag",
            arm64()
                .signed(
                    Signature::developer(RUNTIME | REQUIRE_LV)
                        .entitled(&[DYLD_VARIABLES, NO_LIBRARY_VALIDATION]),
                )
                .build(),
            Fatal,
            "library-validation",
        ),
    ]);
}

#[test]
fn by_the_form_of_the_entitlements() {
    let both = [(DYLD_VARIABLES, true), (NO_LIBRARY_VALIDATION, true)];
    let off = [(DYLD_VARIABLES, false), (NO_LIBRARY_VALIDATION, true)];
    let with = |xml: Option<Vec<u8>>, der: Option<Vec<u8>>| {
        arm64()
            .signed(Signature {
                xml,
                der,
                ..Signature::developer(RUNTIME)
            })
            .build()
    };
    let unreadable = "entitlements-unreadable";
    check(vec![
        (
            "a property list alone",
            with(Some(xml(&both)), None),
            Arrives,
            "arrives",
        ),
        (
            "DER alone",
            with(None, Some(der(&both))),
            Arrives,
            "arrives",
        ),
        (
            "false in both",
            with(Some(xml(&off)), Some(der(&off))),
            Stripped,
            "hardened-runtime",
        ),
        (
            "true in the one, false in the other",
            with(Some(xml(&both)), Some(der(&off))),
            Unknown,
            unreadable,
        ),
        (
            "true in the one, absent in the other",
            with(Some(xml(&[])), Some(der(&both))),
            Unknown,
            unreadable,
        ),
        (
            "no property list",
            with(Some(b"entitlements".to_vec()), Some(der(&both))),
            Unknown,
            unreadable,
        ),
        (
            "no DER",
            with(Some(xml(&both)), Some(b"entitlements".to_vec())),
            Unknown,
            unreadable,
        ),
        (
            "twice",
            with(
                Some(xml(&[(DYLD_VARIABLES, false), (DYLD_VARIABLES, true)])),
                None,
            ),
            Unknown,
            unreadable,
        ),
        (
            "damaged, but nobody asks",
            arm64()
                .signed(Signature {
                    xml: Some(b"entitlements".to_vec()),
                    ..Signature::developer(0)
                })
                .build(),
            Arrives,
            "arrives",
        ),
    ]);
}
