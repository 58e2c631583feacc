//! Names of functions and images without what changes between builds, systems and chips.

use crate::reports::symbols::demangle;

/// An image's name without its version: `libomp.5.dylib` is `libomp`, `libpython3.12.dylib` is
/// `libpython3`, and the driver of every chip family is `AGXMetal`.
pub(super) fn image(name: &str) -> &str {
    const DRIVER: &str = "AGXMetal";
    if name.starts_with(DRIVER) {
        return DRIVER;
    }
    // Older reports name frameworks by their bundle.
    let bundle = name.strip_prefix("com.apple.");
    let mut name = bundle.filter(|bundle| !bundle.is_empty()).unwrap_or(name);
    // `.so.6` of Linux, and what Python writes into the names of its modules.
    for mark in [".so.", ".cpython-", ".abi3."] {
        name = name
            .find(mark)
            .and_then(|at| name.get(..at))
            .unwrap_or(name);
    }
    for suffix in [".dylib", ".so", ".bundle"] {
        name = name.strip_suffix(suffix).unwrap_or(name);
    }
    loop {
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
        match plain.strip_suffix(['.', '-']) {
            Some(rest) if plain.len() < name.len() && !rest.is_empty() => name = rest,
            _ => return name,
        }
    }
}

/// A function's name without templates, parameters, addresses, hashes, numbers of closures and
/// blocks, clones made by the compiler, and the letters of a chip's family. `None`: it tells nothing.
pub(super) fn symbol(name: &str) -> Option<String> {
    let name = name.trim();
    let name = name.strip_suffix(" [inlined]").unwrap_or(name);
    // What `atos` adds.
    let name = match name.rsplit_once(" (in ") {
        Some((before, image)) if image.ends_with(')') => before,
        _ => name,
    };
    // Where the system hides a name, merged equal functions, or a tool made one up.
    let is_nameless = matches!(name, "" | "???" | "<redacted>" | "<deduplicated_symbol>")
        || name.starts_with("___lldb_unnamed_symbol")
        || name.bytes().all(|byte| byte.is_ascii_digit());
    if is_nameless {
        return None;
    }
    let name = match objective_c(name) {
        Some(method) => method,
        None => without_numbers(&without_arguments(without_clone(&demangle(name)))),
    };
    Some(without_family(&name))
}

/// `-[Class method:]` of a method or of a block in it: `__58-[Class method:]_block_invoke_2`.
fn objective_c(name: &str) -> Option<String> {
    let start = name.find("-[").or_else(|| name.find("+["))?;
    let before = name.get(..start)?;
    let is_method = before
        .strip_prefix("__")
        .map_or(before.is_empty(), |number| {
            number.bytes().all(|byte| byte.is_ascii_digit())
        });
    is_method.then_some(())?;
    let end = start + name.get(start..)?.find(']')?;
    let method = name.get(start..=end)?;
    let in_a_block = name.get(end..)?.contains("_block_invoke");
    Some(if in_a_block {
        format!("{method} block")
    } else {
        method.to_owned()
    })
}

/// Without what compilers put behind the name of a copy: `f.cold.1`, `f.llvm.123`, and the hash
/// behind a name of Rust's, `::h` with 16 digits.
fn without_clone(name: &str) -> &str {
    const MARKS: [&str; 7] = [
        ".llvm.",
        ".cold",
        ".isra.",
        ".part.",
        ".constprop.",
        ".resume.",
        ".destroy.",
    ];
    let cut = MARKS.iter().filter_map(|mark| name.find(mark)).min();
    let name = cut.and_then(|at| name.get(..at)).unwrap_or(name);
    match name.rsplit_once("::h") {
        Some((before, hash))
            if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            before
        }
        _ => name,
    }
}

/// Without arguments of templates and functions: what stands in `<…>` and `(…)` behind a name.
/// Brackets that begin a name, as in `<T as Trait>::f` and `(anonymous namespace)::f`, stay.
fn without_arguments(name: &str) -> String {
    let mut kept = String::with_capacity(name.len().min(256));
    // For each open bracket: what closes it, and whether it stays.
    let mut open: Vec<(u8, bool)> = Vec::new();
    let mut dropped = 0_usize;
    // Where an operator's sign ends: a bracket there holds its arguments.
    let mut sign = None;
    let mut rest = name;
    while let Some(at) = rest.bytes().position(|byte| b"<>()".contains(&byte)) {
        let (plain, bracket) = rest.split_at(at);
        if dropped == 0 {
            kept.push_str(plain);
            let operator = kept.ends_with("operator").then(|| operator_at(bracket));
            if let Some(operator) = operator.flatten() {
                kept.push_str(operator);
                sign = Some(kept.len());
                rest = bracket.get(operator.len()..).unwrap_or_default();
                continue;
            }
        }
        let (bracket, after) = bracket.split_at(1);
        rest = after;
        match bracket {
            "<" | "(" => {
                // Rust's `f::<T>`; C++ has no such brackets but those of `(anonymous namespace)`.
                let turbofish = bracket == "<" && dropped == 0 && kept.ends_with("::");
                if turbofish {
                    kept.truncate(kept.len() - 2);
                }
                let stays = dropped == 0
                    && !turbofish
                    && sign != Some(kept.len())
                    && !follows_a_name(&kept);
                open.push((if bracket == "<" { b'>' } else { b')' }, stays));
                if stays {
                    kept.push_str(bracket);
                } else {
                    dropped += 1;
                }
            }
            _ => {
                let is_arrow = bracket == ">" && plain.ends_with('-');
                let closes =
                    |(closing, _): &mut (u8, bool)| !is_arrow && bracket.as_bytes() == [*closing];
                match open.pop_if(closes) {
                    Some((_, false)) => dropped -= 1,
                    Some((_, true)) => kept.push_str(bracket),
                    None if dropped == 0 => kept.push_str(bracket),
                    None => {}
                }
            }
        }
    }
    if dropped == 0 {
        kept.push_str(rest);
    }
    kept.trim_end_matches(" const").trim_end().to_owned()
}

/// Whether a bracket here holds arguments of what stands before it.
fn follows_a_name(before: &str) -> bool {
    let names = |c: char| c.is_alphanumeric() || "_~}]'$>*=!+/&|^%".contains(c);
    before.ends_with(names)
}

/// The sign of an operator's name, whose brackets and arrows are none.
fn operator_at(rest: &str) -> Option<&str> {
    const SIGNS: [&str; 12] = [
        "()", "<=>", "<<=", ">>=", "->*", "->", "<<", ">>", "<=", ">=", "<", ">",
    ];
    let found = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
    rest.get(..found.len())
}

/// Without the numbers of closures, lambdas and blocks, and without addresses: `closure #1`, `$_12`,
/// `_block_invoke_2`, `0x1234`.
fn without_numbers(name: &str) -> String {
    const BEFORE: [&str; 4] = ["#", "$_", "_block_invoke", "0x"];
    let mut kept = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((at, mark)) = BEFORE
        .iter()
        .filter_map(|mark| Some((rest.find(mark)?, *mark)))
        .min()
    {
        let end = at + mark.len();
        kept.push_str(rest.get(..end).unwrap_or_default());
        let after = rest.get(end..).unwrap_or_default();
        rest = match mark {
            "0x" => after.trim_start_matches(|c: char| c.is_ascii_hexdigit()),
            // A first block has no number.
            "_block_invoke" => after
                .trim_start_matches(['_', '.'])
                .trim_start_matches(|c: char| c.is_ascii_digit()),
            _ => after.trim_start_matches(|c: char| c.is_ascii_digit()),
        };
    }
    kept.push_str(rest);
    kept
}

/// Without the letters of a chip's family: `AGXG16XFamilyComputeContext_mtlnext` is
/// `AGXG*FamilyComputeContext`, `AGX::G13X::f` is `AGX::G*::f`.
fn without_family(name: &str) -> String {
    if !name.contains("AGX") {
        return name.to_owned();
    }
    let name = name.replace("_mtlnext", "");
    let mut kept = String::with_capacity(name.len());
    for (number, piece) in name.split("::").enumerate() {
        if number > 0 {
            kept.push_str("::");
        }
        kept.push_str(&piece_without_family(piece));
    }
    kept
}

fn piece_without_family(piece: &str) -> String {
    let is_digit = |c: char| c.is_ascii_digit();
    // A generation as a name of its own, `G16` or `HAL200`, or at the end of one, `SpillInfoGen3`.
    let stem = piece
        .trim_end_matches(|c: char| c.is_ascii_uppercase())
        .trim_end_matches(is_digit);
    if stem.len() < piece.len() && (matches!(stem, "G" | "HAL") || stem.ends_with("Gen")) {
        return format!("{stem}*");
    }
    let Some((before, after)) = piece.split_once("AGXG") else {
        return piece.to_owned();
    };
    let letters = after.trim_start_matches(is_digit);
    match letters.find("Family").filter(|letters| *letters <= 2) {
        Some(at) if letters.len() < after.len() => {
            format!("{before}AGXG*{}", letters.get(at..).unwrap_or_default())
        }
        _ => piece.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn images_lose_their_versions_and_families() {
        for (name, expected) in [
            ("AGXMetalG16X", "AGXMetal"),
            ("AGXMetal13_3", "AGXMetal"),
            ("libomp.dylib", "libomp"),
            ("libc++.1.dylib", "libc++"),
            ("libpython3.12.dylib", "libpython3"),
            ("libvips-42.16.dylib", "libvips"),
            ("libc.so.6", "libc"),
            ("com.apple.CoreFoundation", "CoreFoundation"),
            ("_multiarray.cpython-312-darwin.so", "_multiarray"),
            ("_rust.abi3.so", "_rust"),
            ("Google Chrome Framework", "Google Chrome Framework"),
            ("1.2", "1"),
            ("42", "42"),
            ("", ""),
        ] {
            assert_eq!(image(name), expected, "{name}");
        }
    }

    #[test]
    fn symbols_lose_what_changes() {
        for (name, expected) in [
            (
                "-[AGXG16XFamilyComputeContext setComputePipelineState:]",
                "-[AGXG*FamilyComputeContext setComputePipelineState:]",
            ),
            (
                "-[AGXG17GFamilyComputeContext_mtlnext setComputePipelineState:]",
                "-[AGXG*FamilyComputeContext setComputePipelineState:]",
            ),
            (
                "-[AGXG14FamilyCommandBuffer renderCommandEncoderWithDescriptor:]",
                "-[AGXG*FamilyCommandBuffer renderCommandEncoderWithDescriptor:]",
            ),
            ("__58-[Foo bar:]_block_invoke_2", "-[Foo bar:] block"),
            ("-[Foo(Category) bar:]", "-[Foo(Category) bar:]"),
            (
                "AGX::ComputeContext<AGX::G16::Encoders, AGX::G16::Classes>::prepareForEnqueue(bool)",
                "AGX::ComputeContext::prepareForEnqueue",
            ),
            (
                "AGX::SpillInfoGen3<AGX::G16>::allocateUSCSpillBuffer(unsigned int)",
                "AGX::SpillInfoGen*::allocateUSCSpillBuffer",
            ),
            ("AGX::G13X::f(int)", "AGX::G*::f"),
            ("f(std::function<void (int)>) const", "f"),
            (
                "(anonymous namespace)::f<int>(char)",
                "(anonymous namespace)::f",
            ),
            ("a::operator<<<char>(b)", "a::operator<<"),
            ("a::operator()(int) const", "a::operator()"),
            ("a::operator->()", "a::operator->"),
            (
                "<alloc::vec::Vec<T> as core::ops::Drop>::drop::h0123456789abcdef",
                "<alloc::vec::Vec as core::ops::Drop>::drop",
            ),
            ("core::ptr::drop_in_place::<u8>", "core::ptr::drop_in_place"),
            ("f.cold.1", "f"),
            ("_ZN3AGX7Encoder3endEb", "AGX::Encoder::end"),
            ("__f_block_invoke_2", "__f_block_invoke"),
            ("__f_block_invoke", "__f_block_invoke"),
            ("__f_block_invoke375", "__f_block_invoke"),
            ("main (in App)", "main"),
            ("closure #2 in A.b(c: Int) -> D", "closure # in A.b -> D"),
            ("f$_12::operator()(int)", "f$_::operator()"),
            ("g [inlined]", "g"),
        ] {
            assert_eq!(symbol(name).as_deref(), Some(expected), "{name}");
        }
        for name in [
            "",
            " ",
            "???",
            "<redacted>",
            "<deduplicated_symbol>",
            "___lldb_unnamed_symbol12",
        ] {
            assert_eq!(symbol(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_taken(name in "(AGXG|Family|G16|::|operator|<|>|\\(|\\)|->|-\\[|\\]|0x|#|_block_invoke|\\.cold|é|[a-z0-9 ]){0,16}") {
            let _taken = (image(&name), symbol(&name));
        }

        #[test]
        fn what_stands_in_templates_and_addresses_is_nothing(inside in "[a-z0-9:, *&]{0,20}", address in any::<u32>()) {
            let one = symbol(&format!("ns::f<{inside}>::g({inside})"));
            prop_assert_eq!(one.as_deref(), Some("ns::f::g"));
            let two = symbol(&format!("thunk_0x{address:x}_end"));
            prop_assert_eq!(two.as_deref(), Some("thunk_0x_end"));
        }
    }
}
