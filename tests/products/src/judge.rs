//! What a slice is, compared with what its product is meant to be.

use object::macho;

use crate::{ImportList, Kind, Product, Slice};

/// `0xMMMMmmpp`: macOS 11.0, the first for arm64 and the oldest that the products are built for.
const MACOS_11: u32 = 11 << 16;

/// The sections that every file may have. Anything else is code or data that somebody has to know of: `__objc_imageinfo`
/// for instance would make the runtime look through the file.
const SECTIONS: [&str; 23] = [
    "__TEXT,__text",
    "__TEXT,__stubs",
    "__TEXT,__stub_helper",
    "__TEXT,__const",
    "__TEXT,__literals",
    "__TEXT,__literal8",
    "__TEXT,__literal16",
    "__TEXT,__cstring",
    // Formats of lines for the system's log.
    "__TEXT,__oslogstring",
    // Initialisers, where a linker writes offsets for addresses.
    "__TEXT,__init_offsets",
    "__TEXT,__gcc_except_tab",
    "__TEXT,__unwind_info",
    "__TEXT,__eh_frame",
    "__DATA_CONST,__got",
    "__DATA_CONST,__const",
    "__DATA_CONST,__mod_init_func",
    "__DATA,__la_symbol_ptr",
    "__DATA,__data",
    "__DATA,__thread_vars",
    "__DATA,__thread_data",
    "__DATA,__thread_bss",
    "__DATA,__bss",
    "__DATA,__common",
];

/// What betrays the machine that built it: homes, cargo's folders, the compiler's sources.
const MACHINE_PATHS: [&str; 6] = [
    "/root/",
    "/home/",
    "/Users/",
    ".cargo/registry",
    "/usr/src/",
    "/rustup/",
];

/// Everything in which a slice differs from its product; empty where it is as meant.
///
/// `imports` is what this product may import, `checkout` the folder that it was built in.
pub fn judge(
    slice: &Slice<'_>,
    product: &Product,
    imports: &ImportList,
    checkout: &str,
) -> Vec<String> {
    let mut differences = Vec::new();
    header(slice, product, &mut differences);
    libraries(slice, imports, &mut differences);
    contents(slice, product, checkout, &mut differences);
    if let Err(wrong) = &slice.signature {
        differences.push(format!("signature: {wrong}"));
    }
    differences
}

fn header(slice: &Slice<'_>, product: &Product, differences: &mut Vec<String>) {
    let (file_type, flags) = match product.kind {
        Kind::Library => (macho::MH_DYLIB, 0),
        Kind::Program => (macho::MH_EXECUTE, macho::MH_PIE),
    };
    if slice.file_type != file_type {
        differences.push(format!("file type {}, not {file_type}", slice.file_type));
    }
    let flags = flags | macho::MH_TWOLEVEL;
    if slice.flags & flags != flags {
        differences.push(format!("flags {:#x} without {flags:#x}", slice.flags));
    }
    if slice.built_for != Some((macho::PLATFORM_MACOS, MACOS_11)) {
        differences.push(format!(
            "built for {:x?}, not for macOS 11.0",
            slice.built_for
        ));
    }
    if slice.install_name.as_deref() != product.install_name {
        differences.push(format!(
            "install name {:?}, not {:?}",
            slice.install_name, product.install_name
        ));
    }
    if !slice.has_uuid {
        differences.push("no UUID, by which crash reports would name it".to_owned());
    }
    if !slice.run_paths.is_empty() {
        differences.push(format!("looks for libraries in {:?}", slice.run_paths));
    }
}

fn libraries(slice: &Slice<'_>, imports: &ImportList, differences: &mut Vec<String>) {
    for library in &slice.libraries {
        if !imports.names(library) {
            differences.push(format!("linked against {library}"));
        }
    }
    for import in &slice.imports {
        if !imports.allows(&import.library, &import.symbol, slice.architecture) {
            differences.push(format!("imports {} of {}", import.symbol, import.library));
        }
    }
}

fn contents(slice: &Slice<'_>, product: &Product, checkout: &str, differences: &mut Vec<String>) {
    for export in &slice.exports {
        let prefixes = product.export_prefixes;
        if !prefixes.is_empty() && !prefixes.iter().any(|prefix| export.starts_with(prefix)) {
            differences.push(format!("exports {export}"));
        }
    }
    for section in &slice.sections {
        if !SECTIONS
            .iter()
            .chain(product.sections)
            .any(|known| known == section)
        {
            differences.push(format!("section {section}"));
        }
    }
    if slice.initialisers != product.initialisers {
        differences.push(format!(
            "{} initialisers, not {}",
            slice.initialisers, product.initialisers
        ));
    }
    if slice.interposed != product.interposed {
        differences.push(format!(
            "interposes {:?}, not {:?}",
            slice.interposed, product.interposed
        ));
    }
    let size = slice.data.len() as u64;
    if size >= product.size_limit {
        differences.push(format!(
            "{size} bytes, and {} are the limit",
            product.size_limit
        ));
    }
    let checkout = std::iter::once(checkout).filter(|path| path.len() > 1);
    for path in MACHINE_PATHS.into_iter().chain(checkout) {
        if let Some(found) = around(slice.data, path.as_bytes()) {
            differences.push(format!("a path of the machine that built it: {found:?}"));
        }
    }
}

/// The printable text around the first place at which `needle` stands.
fn around(data: &[u8], needle: &[u8]) -> Option<String> {
    let at = data
        .windows(needle.len())
        .position(|window| window == needle)?;
    let printable = |byte: &u8| byte.is_ascii_graphic();
    let before = data[..at]
        .iter()
        .rev()
        .take(60)
        .take_while(|byte| printable(byte))
        .count();
    let behind = data[at..]
        .iter()
        .take(120)
        .take_while(|byte| printable(byte))
        .count();
    Some(String::from_utf8_lossy(&data[at - before..at + behind]).into_owned())
}
