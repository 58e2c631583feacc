//! What LLVM's `llvm-objdump --macho --objc-meta-data` says of an image.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use agxrun::audit::{Binary, Objc, Pointer};

/// A class: its name, its objects' methods, its own.
pub type Told = (String, Vec<Method>, Vec<Method>);

/// Selector, type encoding, address of the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    pub selector: String,
    pub types: String,
    pub code: u64,
}

/// The newest installed one that is known to read relative lists.
pub fn tool(name: &str) -> Option<PathBuf> {
    ["22", "21", "20", "19"]
        .iter()
        .map(|version| PathBuf::from(format!("/usr/lib/llvm-{version}/bin/{name}")))
        .find(|path| path.exists())
}

/// Whether the comparison can be made; says so where it cannot.
pub fn objdump() -> Option<PathBuf> {
    let found = tool("llvm-objdump");
    if found.is_none() {
        println!(
            "skipped: no llvm-objdump of LLVM 19 or later (hint: install Debian's package llvm-22)"
        );
    }
    found
}

/// The classes of an image of `file`, in its order.
pub fn classes(objdump: &Path, file: &Path, binary: &Binary<'_>) -> Vec<Told> {
    let symbols = binary
        .symbols()
        .expect("it has a table")
        .filter_map(|symbol| Some((symbol.name?, symbol.address?)))
        .collect();
    let processor = binary.processor().to_string();
    let output = Command::new(objdump)
        .args(["--macho", "--objc-meta-data", "--arch", &processor])
        .arg(file)
        .output()
        .expect("it can be started");
    assert!(output.status.success(), "{output:?}");
    parse(&String::from_utf8_lossy(&output.stdout), &symbols)
}

fn parse(text: &str, symbols: &HashMap<&str, u64>) -> Vec<Told> {
    let mut classes: Vec<Told> = Vec::new();
    let (mut in_list, mut in_methods, mut meta) = (false, false, false);
    let mut method = (String::new(), String::new());
    for line in text.lines() {
        if line.starts_with("Contents of") {
            in_list = line.contains("__objc_classlist");
            continue;
        }
        if !in_list {
            continue;
        }
        if line.as_bytes().first().is_some_and(u8::is_ascii_hexdigit) {
            classes.push(Told::default());
            (in_methods, meta) = (false, false);
            continue;
        }
        if line == "Meta Class" {
            (in_methods, meta) = (false, true);
            continue;
        }
        let Some(class) = classes.last_mut() else {
            continue;
        };
        let mut parts = line.trim_start().splitn(2, ' ');
        let (key, rest) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        match key {
            "baseMethods" => in_methods = true,
            "baseProtocols" | "ivars" => in_methods = false,
            "name" if in_methods => method.0 = text_of(rest),
            "types" if in_methods => method.1 = text_of(rest),
            "imp" if in_methods => {
                let method = Method {
                    selector: std::mem::take(&mut method.0),
                    types: std::mem::take(&mut method.1),
                    code: address_of(rest, symbols),
                };
                if meta { &mut class.2 } else { &mut class.1 }.push(method);
            }
            "name" if class.0.is_empty() => class.0 = text_of(rest),
            _ => {}
        }
    }
    classes
}

/// The text behind `0x10` or `0x10 (0x20)`.
fn text_of(rest: &str) -> String {
    let rest = rest.split_once(' ').map_or("", |(_, rest)| rest);
    match rest
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(") "))
    {
        Some((address, text)) if address.starts_with("0x") => text.to_owned(),
        _ => rest.to_owned(),
    }
}

/// The address in `0x10 (0x20) name` or `0x20 name`. In lists of pointers, LLVM names the symbol in its
/// place where there is one.
fn address_of(rest: &str, symbols: &HashMap<&str, u64>) -> u64 {
    if let Some(address) = symbols.get(rest) {
        return *address;
    }
    let relative = rest
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'));
    let number = match relative {
        Some((address, _)) if address.starts_with("0x") => address,
        _ => rest.split(' ').next().unwrap_or(""),
    };
    u64::from_str_radix(number.trim_start_matches("0x"), 16).expect("an address")
}

/// What our own reader says, in the same form.
pub fn ours(objc: &Objc<'_>) -> Vec<Told> {
    let methods = |methods: &[agxrun::audit::Method<'_>]| {
        methods
            .iter()
            .map(|method| Method {
                selector: method.selector.unwrap_or_default().to_owned(),
                types: method.types.unwrap_or_default().to_owned(),
                code: method.implementation.unwrap_or_default(),
            })
            .collect()
    };
    objc.classes
        .iter()
        .map(|class| {
            (
                class.name.unwrap_or_default().to_owned(),
                methods(&class.instance_methods),
                methods(&class.class_methods),
            )
        })
        .collect()
}

/// Whether the image has chained fix-ups, which LLVM lists, and does not follow where it reads classes
/// (22.1.8 prints no name then).
pub fn is_chained(objdump: &Path, file: &Path, binary: &Binary<'_>) -> bool {
    let output = Command::new(objdump)
        .args(["--macho", "--private-headers", "--arch"])
        .arg(binary.processor().to_string())
        .arg(file)
        .output()
        .expect("it can be started");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).contains("LC_DYLD_CHAINED_FIXUPS")
}

/// Each slot that the loader adjusts in an image with chained fix-ups, with an address or a symbol.
pub fn pointers(objdump: &Path, file: &Path, binary: &Binary<'_>) -> Vec<(u64, String)> {
    let output = Command::new(objdump)
        .args(["--macho", "--dyld-info", "--arch"])
        .arg(binary.processor().to_string())
        .arg(file)
        .output()
        .expect("it can be started");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            // Segment, section, address, the slot's bits, type, and for an import addend and library.
            let line = line.trim_end().trim_end_matches(" (weak import)");
            let fields: Vec<&str> = line.split_whitespace().collect();
            let address = fields.get(2)?.strip_prefix("0x")?;
            let address = u64::from_str_radix(address, 16).ok()?;
            let target = fields.last()?.to_ascii_lowercase();
            let number = target
                .strip_prefix("0x")
                .map(|digits| u64::from_str_radix(digits, 16));
            // Our addresses are without the byte that a tagged pointer has at its top.
            let told = match number {
                Some(Ok(number)) => format!("{:#x}", number & 0x00ff_ffff_ffff_ffff),
                _ => target,
            };
            Some((address, told))
        })
        .collect()
}

/// The same of our own reader.
pub fn our_pointers(binary: &Binary<'_>) -> Vec<(u64, String)> {
    binary
        .pointers()
        .map(|slot| {
            let told = match binary.pointer_at(slot).expect("it is a slot") {
                Pointer::Null => "null".to_owned(),
                Pointer::Address { address, .. } => format!("{address:#x}"),
                Pointer::Import { import, .. } => import.name.to_ascii_lowercase(),
            };
            (slot, told)
        })
        .collect()
}

/// Both readers say the same of an image.
pub fn compare(objdump: &Path, file: &Path, binary: &Binary<'_>) {
    let what = format!("{} ({})", file.display(), binary.processor());
    if is_chained(objdump, file, binary) {
        let (ours, theirs) = (our_pointers(binary), pointers(objdump, file, binary));
        // Of hundreds of thousands, the first difference is enough.
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs, "{what}");
        }
        assert_eq!(ours.len(), theirs.len(), "{what}");
    } else {
        assert_eq!(
            ours(&binary.objc()),
            classes(objdump, file, binary),
            "{what}"
        );
    }
}
