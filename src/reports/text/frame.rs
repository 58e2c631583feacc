//! Frame lines.

use std::borrow::Cow;

use crate::reports::fault::leading_hex;

/// One frame line, split.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FrameLine<'a> {
    pub(super) image: &'a str,
    pub(super) address: u64,
    /// Load address, where the line gives it.
    pub(super) base: Option<u64>,
    pub(super) symbol: Option<Cow<'a, str>>,
    pub(super) location: Option<u64>,
    pub(super) source: Option<(&'a str, u64)>,
    /// The line says `[inlined]`.
    pub(super) inline: bool,
}

/// Reads `0   image   0x… rest`, where rest is `symbol + 8`, `symbol + 8 (file.c:12)`,
/// `0xbase + 17660`, `0xbase + 72220 (symbol + 8)` or `symbol (file.c:12)`. Tools that add symbols
/// later write `symbol (in image) (file.c:12)`, and Xcode `symbol+ 201624 (arguments) + 8`, where
/// the first number is the offset in the image.
pub(super) fn parse(line: &str) -> Option<FrameLine<'_>> {
    let digits = line
        .find(|c: char| !c.is_ascii_digit())
        .filter(|end| *end > 0)?;
    let rest = line.get(digits..)?;
    // Image names may hold spaces: the address is the first word of that form.
    let at = rest.match_indices("0x").map(|(at, _)| at).find(|at| {
        rest.get(..*at)
            .is_some_and(|before| before.ends_with(char::is_whitespace))
    })?;
    let (image, rest) = (rest.get(..at)?.trim(), rest.get(at..)?);
    let (address, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let rest = rest.trim();
    let mut read = FrameLine {
        image,
        address: leading_hex(address)?,
        ..FrameLine::default()
    };
    if let Some(base) = leading_hex(rest) {
        read.base = Some(base);
        let symbol = rest
            .split_once(" (")
            .and_then(|(_, inside)| inside.strip_suffix(')'));
        if let Some(symbol) = symbol {
            read.set_symbol(symbol);
        }
    } else {
        read.set_symbol(rest);
    }
    Some(read)
}

/// The rest of a symbol that holds a line break: ` + 0 [inlined]`, as a line of its own.
pub(super) fn continuation(line: &str) -> Option<FrameLine<'_>> {
    let mut read = FrameLine::default();
    read.set_symbol(line.starts_with("+ ").then_some(line)?);
    read.symbol = None;
    Some(read)
}

impl<'a> FrameLine<'a> {
    fn set_symbol(&mut self, text: &'a str) {
        let mut text = text;
        if let Some(before) = text.strip_suffix(" [inlined]") {
            self.inline = true;
            text = before;
        }
        if let Some((before, inside)) = last_brackets(text)
            && let Some((file, line)) = inside.rsplit_once(':')
            && let Ok(line) = line.parse()
        {
            self.source = Some((file, line));
            text = before;
        }
        let located = text.rsplit_once("+ ").and_then(|(symbol, location)| {
            let symbol = symbol
                .strip_suffix(' ')
                .or(symbol.is_empty().then_some(symbol))?;
            Some((symbol, location.parse().ok()?))
        });
        if let Some((symbol, location)) = located {
            self.location = Some(location);
            text = symbol;
        }
        if let Some((before, inside)) = last_brackets(text)
            && inside.starts_with("in ")
        {
            text = before;
        }
        self.symbol = Some(without_offset(text)).filter(|text| !text.is_empty());
    }
}

/// `before (inside)`.
fn last_brackets(text: &str) -> Option<(&str, &str)> {
    text.strip_suffix(')')?.rsplit_once(" (")
}

/// `name+ 201624 (arguments)` without the number.
fn without_offset(text: &str) -> Cow<'_, str> {
    let found = text.split_once("+ ").and_then(|(name, rest)| {
        let (digits, arguments) = rest.split_once(" (")?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && !name.ends_with(' ')).then(|| format!("{name}({arguments}"))
    });
    found.map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_frame_is_read() {
        let plain = parse("0   libsystem_kernel.dylib \t0x00000001c3df54fc 0x1c3df1000 + 17660");
        let expected = FrameLine {
            image: "libsystem_kernel.dylib",
            address: 0x1_c3df_54fc,
            base: Some(0x1_c3df_1000),
            ..FrameLine::default()
        };
        assert_eq!(plain, Some(expected));
        let both = parse("2   Crash-Tester  0x000668a8 0x5f000 + 30888 (-[Crasher doAbort] + 8)");
        let both = both.expect("a frame");
        assert_eq!(
            (both.symbol.as_deref(), both.location),
            (Some("-[Crasher doAbort]"), Some(8))
        );
        let spaced = parse("12  Google Chrome Framework  0x10a f(int, char) + 4 (a b.cc:17)");
        let spaced = spaced.expect("a frame");
        assert_eq!(spaced.image, "Google Chrome Framework");
        assert_eq!(spaced.symbol.as_deref(), Some("f(int, char)"));
        assert_eq!(spaced.source, Some(("a b.cc", 17)));
        let bare = parse("13  YetanotherMac   0x00000000000ea004 main (main.m:16)");
        assert_eq!(bare.expect("a frame").symbol.as_deref(), Some("main"));
        assert_eq!(parse("rax: 0x0000000000000000  rbx: 0x1"), None);
        assert_eq!(parse("3   ???"), None);
    }

    #[test]
    fn symbols_that_tools_added_are_the_names_alone() {
        let atos = parse("0   App   0x00000001003dade1 -[MyClass crash] (in App) (main.m:50)");
        let atos = atos.expect("a frame");
        assert_eq!(atos.symbol.as_deref(), Some("-[MyClass crash]"));
        assert_eq!(atos.source, Some(("main.m", 50)));
        let xcode = parse("0   libswiftCore.dylib  0x18b4c5398 _fail+ 201624 (_:file:) + 1504");
        let xcode = xcode.expect("a frame");
        assert_eq!(xcode.symbol.as_deref(), Some("_fail(_:file:)"));
        assert_eq!(xcode.location, Some(1504));
        let plus = parse("0   a   0x1 T operator+<T>(T, int) + 4").expect("a frame");
        assert_eq!(plus.symbol.as_deref(), Some("T operator+<T>(T, int)"));
        let inlined = parse("1   a   0x1 f(int) + 4 (a.h:9) [inlined]").expect("a frame");
        assert_eq!((inlined.inline, inlined.location), (true, Some(4)));
        let rest = continuation("+ 0 [inlined]").expect("a rest");
        assert_eq!((rest.location, rest.inline), (Some(0), true));
        assert_eq!(continuation("++ 0"), None);
    }
}
