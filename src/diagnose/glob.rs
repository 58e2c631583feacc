//! Patterns in which `*` stands for any text: enough for names whose family letters and line
//! numbers change, and nothing to compile before a short run.

/// Whether the whole text has the pattern's form.
pub fn is_match(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match text.find(part) {
            Some(at) => text = text.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    text.ends_with(last)
}

/// Whether some part of the text has the pattern's form.
pub fn is_found(pattern: &str, text: &str) -> bool {
    let mut text = text;
    pattern.split('*').all(|part| match text.find(part) {
        Some(at) => {
            text = text.get(at + part.len()..).unwrap_or_default();
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, whole, part) in [
            ("a*c", "abc", true, true),
            ("a*c", "ac", true, true),
            ("a*c", "xacx", false, true),
            ("abc", "abc", true, true),
            ("a*b*c", "a--b--c", true, true),
            ("a*b*c", "a--c--b", false, false),
            ("*", "", true, true),
            ("ab*ba", "aba", false, false),
            ("x*", "xyz", true, true),
            ("*z", "xyz", true, true),
        ] {
            assert_eq!(is_match(pattern, text), whole, "`{pattern}` is `{text}`");
            assert_eq!(is_found(pattern, text), part, "`{pattern}` in `{text}`");
        }
    }

    /// The definition, without regard to cost.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skip| slow(rest, &text[skip..])),
            Some((c, rest)) => text
                .split_first()
                .is_some_and(|(t, text)| t == c && slow(rest, text)),
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_definition(pattern in "[ab*é]{0,6}", text in "[abé]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(is_match(&pattern, &text), slow(&chars(&pattern), &chars(&text)));
            let open = format!("*{pattern}*");
            prop_assert_eq!(is_found(&pattern, &text), slow(&chars(&open), &chars(&text)));
        }
    }
}
