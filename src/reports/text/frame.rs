//! Frame lines.

use crate::reports::fault::leading_hex;

/// One frame line, split.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FrameLine<'a> {
    pub(super) image: &'a str,
    pub(super) address: u64,
    /// Load address, where the line gives it.
    pub(super) base: Option<u64>,
    pub(super) symbol: Option<&'a str>,
    pub(super) location: Option<u64>,
    pub(super) source: Option<(&'a str, u64)>,
}

/// Reads `0   image   0x… rest`, where rest is `symbol + 8`, `symbol + 8 (file.c:12)`,
/// `0xbase + 17660`, `0xbase + 72220 (symbol + 8)` or `symbol (file.c:12)`.
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

impl<'a> FrameLine<'a> {
    fn set_symbol(&mut self, text: &'a str) {
        let mut text = text;
        if let Some((before, inside)) = text
            .strip_suffix(')')
            .and_then(|inner| inner.rsplit_once(" ("))
            && let Some((file, line)) = inside.rsplit_once(':')
            && let Ok(line) = line.parse()
        {
            self.source = Some((file, line));
            text = before;
        }
        if let Some((symbol, location)) = text.rsplit_once(" + ")
            && let Ok(location) = location.parse()
        {
            self.location = Some(location);
            text = symbol;
        }
        self.symbol = Some(text).filter(|text| !text.is_empty());
    }
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
            (both.symbol, both.location),
            (Some("-[Crasher doAbort]"), Some(8))
        );
        let spaced = parse("12  Google Chrome Framework  0x10a f(int, char) + 4 (a b.cc:17)");
        let spaced = spaced.expect("a frame");
        assert_eq!(spaced.image, "Google Chrome Framework");
        assert_eq!(spaced.symbol, Some("f(int, char)"));
        assert_eq!(spaced.source, Some(("a b.cc", 17)));
        let bare = parse("13  YetanotherMac   0x00000000000ea004 main (main.m:16)");
        assert_eq!(bare.expect("a frame").symbol, Some("main"));
        assert_eq!(parse("rax: 0x0000000000000000  rbx: 0x1"), None);
        assert_eq!(parse("3   ???"), None);
    }
}
