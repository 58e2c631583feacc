//! Patterns as signature files write them.

use serde::Deserialize;

use super::glob;

/// A text in which `*` stands for any text; never empty and never stars alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(String);

impl Pattern {
    /// Whether the whole text has this form.
    pub fn is(&self, text: &str) -> bool {
        glob::is_match(&self.0, text)
    }

    /// Whether some part of the text has this form.
    pub fn is_in(&self, text: &str) -> bool {
        glob::is_found(&self.0, text)
    }

    /// The longest piece without a star: it stands in every text that matches.
    pub fn literal(&self) -> &str {
        let longest = self.0.split('*').max_by_key(|piece| piece.len());
        longest.unwrap_or_default()
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Pattern {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.split('*').all(str::is_empty) {
            return Err(
                "a pattern of stars alone matches everything (write what tells the failure)",
            );
        }
        Ok(Self(text))
    }
}

/// The shape of a frame: ``IMAGE`SYMBOL``, or a symbol alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct FramePattern {
    image: Option<String>,
    /// `None`: any, also none at all.
    symbol: Option<String>,
}

impl FramePattern {
    /// Whether a frame with this image and symbol has this shape.
    pub fn is(&self, image: Option<&str>, symbol: Option<&str>) -> bool {
        let fits = |pattern: &Option<String>, text: Option<&str>| {
            pattern
                .as_deref()
                .is_none_or(|pattern| text.is_some_and(|text| glob::is_match(pattern, text)))
        };
        fits(&self.image, image) && fits(&self.symbol, symbol)
    }
}

impl TryFrom<String> for FramePattern {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (image, symbol) = match text.split_once('`') {
            Some((image, symbol)) => (Some(image), symbol),
            None => (None, text.as_str()),
        };
        let given = |text: &str| (!text.split('*').all(str::is_empty)).then(|| text.to_owned());
        if image == Some("") || symbol.is_empty() {
            return Err("a frame's pattern is IMAGE`SYMBOL or SYMBOL, with `*` for any text");
        }
        let pattern = Self {
            image: image.and_then(given),
            symbol: given(symbol),
        };
        if pattern.image.is_none() && pattern.symbol.is_none() {
            return Err(
                "a pattern of stars alone matches everything (write what tells the failure)",
            );
        }
        Ok(pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(pattern: &str) -> FramePattern {
        FramePattern::try_from(pattern.to_owned()).expect("a pattern")
    }

    #[test]
    fn a_frame_is_told_by_image_symbol_or_both() {
        let both = frame("AGXMetal*`-[AGX* setBuffer:*]");
        assert!(both.is(Some("AGXMetalG13X"), Some("-[AGXG13X setBuffer:offset:]")));
        assert!(!both.is(Some("Metal"), Some("-[AGXG13X setBuffer:offset:]")));
        assert!(!both.is(None, Some("-[AGXG13X setBuffer:offset:]")));
        assert!(!both.is(Some("AGXMetalG13X"), None));
        let image = frame("Metal`*");
        assert!(image.is(Some("Metal"), None) && image.is(Some("Metal"), Some("f")));
        assert!(!image.is(Some("MetalKit"), None) && !image.is(None, None));
        let symbol = frame("objc_*");
        assert!(symbol.is(None, Some("objc_retain")) && !symbol.is(Some("objc_"), None));
    }

    #[test]
    fn a_pattern_that_matches_everything_is_refused() {
        for text in ["", "*", "**"] {
            assert!(Pattern::try_from(text.to_owned()).is_err(), "`{text}`");
        }
        for text in ["", "*", "*`*", "`f", "f`", "`"] {
            assert!(FramePattern::try_from(text.to_owned()).is_err(), "`{text}`");
        }
    }

    #[test]
    fn the_literal_is_the_longest_piece() {
        let literal = |text: &str| {
            let pattern = Pattern::try_from(text.to_owned()).expect("a pattern");
            pattern.literal().to_owned()
        };
        assert_eq!(literal("a*bcd*e"), "bcd");
        assert_eq!(literal("abc"), "abc");
    }
}
