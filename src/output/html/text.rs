//! Text on the page. What a report says is hostile: names hold markup, control characters, and
//! megabytes.

use maud::Render;

use crate::output::terminal::visible_up_to;

/// How much of a name is shown, in characters: of a process, an image, a signal.
const NAME: usize = 120;
/// How much of a heading is shown, in characters.
const TITLE: usize = 140;
/// How much of a path is shown, in characters.
const PATH: usize = 300;
/// How much of a frame is shown, in characters. Names of C++ templates run to thousands.
const FRAME: usize = 200;
/// How much of a sentence is shown, in characters.
const SENTENCE: usize = 1000;

/// A text of bounded length in which every character is seen and none acts: controls and characters
/// that turn the direction of writing stand there as escapes.
///
/// It becomes HTML in one way, by [`maud`], which escapes it as text and as an attribute's value.
/// The page's models hold nothing but this, numbers and times, so that nothing else of a report can
/// get into the page.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(String);

impl Text {
    /// A name.
    pub fn name(text: &str) -> Self {
        Self::up_to(NAME, text)
    }

    /// What happened, as a heading.
    pub fn title(text: &str) -> Self {
        Self::up_to(TITLE, text)
    }

    /// A path.
    pub fn path(text: &str) -> Self {
        Self::up_to(PATH, text)
    }

    /// A frame of a stack.
    pub fn frame(text: &str) -> Self {
        Self::up_to(FRAME, text)
    }

    /// A sentence.
    pub fn sentence(text: &str) -> Self {
        Self::up_to(SENTENCE, text)
    }

    /// At most `width` characters; what is left out is counted.
    fn up_to(width: usize, text: &str) -> Self {
        let text = visible_up_to(width, text);
        if !text.chars().any(is_noncharacter) {
            return Self(text);
        }
        let mut seen = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            if is_noncharacter(c) {
                seen.extend(c.escape_unicode());
            } else {
                seen.push(c);
            }
        }
        Self(seen)
    }

    /// The text, without any markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Unicode's noncharacters, which are errors in a page (HTML, 13.2.3.5).
fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

impl Render for Text {
    fn render_to(&self, page: &mut String) {
        self.0.as_str().render_to(page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        let text = Text::name("<img src=x onerror=\"alert(1)\">&amp;'");
        assert_eq!(
            text.render().into_string(),
            "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;amp;'"
        );
    }

    #[test]
    fn what_is_not_seen_is_made_visible_and_what_is_long_is_cut() {
        assert_eq!(
            Text::name("a\u{1b}[2J\u{202e}b\0").as_str(),
            "a\\u{1b}[2J\\u{202e}b\\u{0}"
        );
        assert_eq!(
            Text::name("a\u{4fffe}b\u{fdd0}").as_str(),
            "a\\u{4fffe}b\\u{fdd0}"
        );
        let long = Text::name(&"x".repeat(10_000_000));
        assert!(long.as_str().len() < 200, "{}", long.as_str().len());
    }
}
