//! The driver's families: `G16X` in `AGXG16XFamilyComputeContext` and in `AGXMetalG16X`.

use crate::audit::Objc;

/// The family by which an image's classes are named.
pub(super) fn of<'a>(objc: &Objc<'a>) -> Option<&'a str> {
    let names = objc.classes.iter().filter_map(|class| class.name);
    names
        .filter_map(in_name)
        .find(|(_, rest)| rest.starts_with("Family"))
        .map(|(family, _)| family)
}

/// The family in the name of a class, and what follows it: a letter for the line of chips, a number,
/// and mostly a letter for the chip's size (`G13G`, `G16X`, `A12`).
fn in_name(class: &str) -> Option<(&str, &str)> {
    let after = class.strip_prefix("AGX")?;
    let digits = after.strip_prefix(|first: char| first.is_ascii_uppercase())?;
    let number = digits.len()
        - digits
            .trim_start_matches(|it: char| it.is_ascii_digit())
            .len();
    let mut rest = digits[number..].chars();
    let (size, next) = (rest.next(), rest.next());
    let upper = |it: Option<char>| it.is_some_and(|it| it.is_ascii_uppercase());
    // In `A12Family` the capital begins the next word.
    let letters = usize::from(upper(size) && upper(next));
    (number > 0).then(|| after.split_at(1 + number + letters))
}

/// The same class's name in any family: `AGX*FamilyComputeContext`.
pub(super) fn without(class: &str) -> String {
    in_name(class).map_or_else(|| class.to_owned(), |(_, rest)| format!("AGX*{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_is_taken_out_of_names() {
        for (class, generic) in [
            ("AGXG16XFamilyComputeContext", "AGX*FamilyComputeContext"),
            ("AGXG13GFamilyDevice", "AGX*FamilyDevice"),
            ("AGXG15CDevice", "AGX*Device"),
            ("AGXA12FamilyRenderContext", "AGX*FamilyRenderContext"),
            (
                "AGXG18PFamilyComputeContext_mtlnext",
                "AGX*FamilyComputeContext_mtlnext",
            ),
            ("AGXBuffer", "AGXBuffer"),
            ("AGXTexture2D", "AGXTexture2D"),
            ("AGX", "AGX"),
            ("NSObject", "NSObject"),
            ("AGXG16", "AGX*"),
            ("AGXÄ1", "AGXÄ1"),
        ] {
            assert_eq!(without(class), generic, "{class}");
        }
    }
}
