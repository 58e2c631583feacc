//! Reads signatures with `agxrun` and with `apple-codesign`, and ends in an error where they differ.
//!
//! The arguments are Mach-O programs. Each is read as it is, and again after `apple-codesign` signed it
//! in every way that decides about an inserted library.

use std::fs;
use std::path::Path;

use agxrun::audit::Binary;
use agxrun::patch::signature::{Place, SignatureError, renew};
use agxrun::target::image::{Contents, Entitlements, Grant, Image, Signature};
use agxrun::target::rules::{Host, Library, Program, System, judge};
use agxrun::target::verdict::Kind;
use anyhow::{Context, Result, ensure};
use apple_codesign::{
    CodeSignatureFlags, MachFile, MachOSigner, SettingsScope, SigningSettings,
    VerificationProblemType,
};

const DYLD_VARIABLES: &str = "com.apple.security.cs.allow-dyld-environment-variables";
const NO_LIBRARY_VALIDATION: &str = "com.apple.security.cs.disable-library-validation";
const GET_TASK_ALLOW: &str = "com.apple.security.get-task-allow";
const SANDBOX: &str = "com.apple.security.app-sandbox";

fn main() -> Result<()> {
    let mut compared = 0;
    for path in std::env::args_os().skip(1) {
        let path = Path::new(&path);
        let bytes = fs::read(path)?;
        let name = path.display();
        compare(&bytes).with_context(|| format!("{name}, as it is"))?;
        renewed(&bytes).with_context(|| format!("{name}, changed and signed by agxrun"))?;
        compared += 1;
        for (flags, entitlements, expected) in ways() {
            let signed = sign(&bytes, flags, &entitlements)
                .with_context(|| format!("{name}: signing with {flags:?}"))?;
            compare(&signed)
                .and_then(|()| verdict(&signed, expected))
                .and_then(|()| renewed(&signed))
                .with_context(|| format!("{name}, signed with {flags:?} and {entitlements:?}"))?;
            compared += 1;
        }
    }
    ensure!(compared > 0, "name Mach-O programs as arguments");
    println!("{compared} signatures are read alike");
    Ok(())
}

type Way = (CodeSignatureFlags, Vec<&'static str>, Kind);

/// Flags and entitlements, and what becomes of a library that is signed ad hoc.
fn ways() -> Vec<Way> {
    let none = CodeSignatureFlags::empty();
    let runtime = CodeSignatureFlags::RUNTIME;
    vec![
        (none, vec![], Kind::Arrives),
        (none, vec![DYLD_VARIABLES], Kind::Arrives),
        (CodeSignatureFlags::RESTRICT, vec![], Kind::Stripped),
        (CodeSignatureFlags::LIBRARY_VALIDATION, vec![], Kind::Fatal),
        (runtime, vec![], Kind::Stripped),
        (runtime, vec![NO_LIBRARY_VALIDATION], Kind::Stripped),
        (runtime, vec![DYLD_VARIABLES], Kind::Fatal),
        (
            runtime,
            vec![DYLD_VARIABLES, NO_LIBRARY_VALIDATION],
            Kind::Arrives,
        ),
        (
            runtime,
            vec![GET_TASK_ALLOW, NO_LIBRARY_VALIDATION],
            Kind::Unknown,
        ),
        (
            runtime,
            vec![DYLD_VARIABLES, NO_LIBRARY_VALIDATION, SANDBOX],
            Kind::Unknown,
        ),
    ]
}

fn sign(bytes: &[u8], flags: CodeSignatureFlags, entitlements: &[&str]) -> Result<Vec<u8>> {
    let mut settings = SigningSettings::default();
    settings.set_binary_identifier(SettingsScope::Main, "org.example.program");
    settings.set_code_signature_flags(SettingsScope::Main, flags);
    let mut dictionary = plist::Dictionary::new();
    for name in entitlements {
        dictionary.insert((*name).to_owned(), plist::Value::Boolean(true));
    }
    let mut xml = Vec::new();
    plist::Value::Dictionary(dictionary).to_writer_xml(&mut xml)?;
    settings.set_entitlements_xml(SettingsScope::Main, String::from_utf8(xml)?)?;
    let mut signed = Vec::new();
    MachOSigner::new(bytes)?.write_signed_binary(&settings, &mut signed)?;
    Ok(signed)
}

/// Flags, identifier, team, platform and entitlements of every slice.
fn compare(bytes: &[u8]) -> Result<()> {
    let Contents::MachO(ours) = Image::from_bytes(bytes)?.contents else {
        anyhow::bail!("agxrun says that it is not Mach-O");
    };
    let theirs = MachFile::parse(bytes)?;
    let theirs: Vec<_> = theirs.iter_macho().collect();
    ensure!(ours.len() == theirs.len(), "another number of slices");
    for (ours, theirs) in ours.iter().zip(theirs) {
        let ours = ours
            .contents
            .as_ref()
            .map_err(|reason| anyhow::anyhow!("agxrun says: {reason}"))?;
        match (&ours.signature, theirs.code_signature()?) {
            (None, None) => {}
            (Some(ours), Some(theirs)) => {
                let directory = theirs.preferred_code_directory()?;
                ensure!(ours.flags.0 == directory.flags.bits(), "flags differ");
                ensure!(ours.identifier == directory.ident, "identifiers differ");
                ensure!(
                    ours.team.as_deref() == directory.team_name.as_deref(),
                    "teams differ"
                );
                ensure!(ours.platform == directory.platform, "platforms differ");
                ensure!(
                    ours.certified == theirs.signed_data()?.is_some(),
                    "one sees a CMS signature, the other none"
                );
                compare_entitlements(ours, &theirs)?;
            }
            (ours, theirs) => anyhow::bail!(
                "signed for agxrun: {}, for apple-codesign: {}",
                ours.is_some(),
                theirs.is_some()
            ),
        }
    }
    Ok(())
}

/// A file that was changed, and whose signatures agxrun renewed, is one of which the other reader says nothing but
/// that no certificate vouches for it; flags and entitlements are read alike.
fn renewed(bytes: &[u8]) -> Result<()> {
    let mut copy = bytes.to_vec();
    for part in Binary::parse(bytes)? {
        let binary = part.binary?;
        let place = match Place::of(&binary) {
            Err(SignatureError::Unsigned) => return Ok(()),
            other => other?,
        };
        let start = usize::try_from(part.offset)?;
        let range = start..start + binary.bytes().len();
        let changed = &mut copy[range.clone()];
        changed[place.signature.start / 2] ^= 1;
        match renew(&bytes[range], changed, &place) {
            // An older signature has shorter fields, or another hash alone.
            Err(SignatureError::NoRoom { .. } | SignatureError::Unknown(_)) => return Ok(()),
            other => other?,
        };
    }
    for problem in apple_codesign::verify_macho_data(&copy) {
        // Where the original had a CMS signature, an empty one is left, as `codesign -s -` leaves it: no CMS either.
        let is_ad_hoc = matches!(
            problem.problem,
            VerificationProblemType::NoCryptographicSignature
                | VerificationProblemType::CmsError(_)
        );
        ensure!(is_ad_hoc, "renewed: {problem}");
    }
    compare(&copy)
}

fn compare_entitlements(
    ours: &Signature,
    theirs: &apple_codesign::EmbeddedSignature<'_>,
) -> Result<()> {
    let ours = ours
        .entitlements
        .as_ref()
        .map_err(|reason| anyhow::anyhow!("agxrun says: {reason}"))?;
    let xml = theirs
        .entitlements()?
        .map(|blob| plist::Value::from_reader_xml(blob.as_str().as_bytes()))
        .transpose()?;
    let der = theirs
        .entitlements_der()?
        .map(|blob| blob.parse_der())
        .transpose()?;
    for theirs in [xml, der].into_iter().flatten() {
        ensure!(*ours == read(&theirs), "entitlements differ: {ours:?}");
    }
    Ok(())
}

fn read(value: &plist::Value) -> Entitlements {
    let grant = |name: &str| match value.as_dictionary().and_then(|all| all.get(name)) {
        None => Grant::Absent,
        Some(plist::Value::Boolean(true)) => Grant::Given,
        Some(_) => Grant::Refused,
    };
    Entitlements {
        dyld_variables: grant(DYLD_VARIABLES),
        no_library_validation: grant(NO_LIBRARY_VALIDATION),
        get_task_allow: grant(GET_TASK_ALLOW),
        sandbox: grant(SANDBOX),
    }
}

fn verdict(bytes: &[u8], expected: Kind) -> Result<()> {
    let image = Image::from_bytes(bytes);
    let Ok(Image {
        contents: Contents::MachO(slices),
        ..
    }) = &image
    else {
        anyhow::bail!("agxrun cannot read it");
    };
    let library = library(&slices[0])?;
    let verdict = judge(
        &Program {
            path: Path::new("/opt/program"),
            image: image.as_ref(),
            preference: None,
        },
        &Library {
            path: Path::new("/opt/libagx_fix.dylib"),
            image: library.as_ref(),
        },
        &Host {
            system: System::MacOs,
            processor: agxrun::target::image::Processor::Arm64,
            sip: true,
            user: 501,
            group: 20,
        },
    );
    ensure!(verdict.kind == expected, "not {expected:?}: {verdict:?}");
    Ok(())
}

/// The least of a dylib for the slice's processor: a header, and a signature of a code directory.
fn library(
    slice: &agxrun::target::image::Slice,
) -> Result<std::result::Result<Image, agxrun::target::image::Unreadable>> {
    let cpu_type: u32 = match slice.processor {
        agxrun::target::image::Processor::Arm64 => 0x0100_000c,
        agxrun::target::image::Processor::X86_64 => 0x0100_0007,
        other => anyhow::bail!("no library for {other}"),
    };
    let mut directory: Vec<u8> = [0xfade_0c02_u32, 56, 0x2_0100, 2, 54, 52, 0, 0, 0]
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect();
    directory.extend([32, 2, 0, 12]);
    directory.resize(52, 0);
    directory.extend(b"id\0\0");
    let mut signature: Vec<u8> = [0xfade_0cc0_u32, 20 + 56, 1, 0, 20]
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect();
    signature.extend(directory);
    let size = u32::try_from(signature.len())?;
    let mut file: Vec<u8> = [0xfeed_facf, cpu_type, 0, 6, 1, 16, 0, 0, 0x1d, 16, 48, size]
        .iter()
        .flat_map(|word: &u32| word.to_le_bytes())
        .collect();
    file.extend(signature);
    Ok(Image::from_bytes(&file))
}
