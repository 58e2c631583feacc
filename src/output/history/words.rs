//! What lists and groups have in common.

use crate::output::table::Column;
use crate::output::terminal::visible_up_to;

/// How much of one value stands in a plain line, in characters.
const VALUE_WIDTH: usize = 300;

/// Adds values two blanks apart: in none of them two blanks stand together, nor a tab.
pub(super) fn push_line(text: &mut String, values: &[Option<&str>]) {
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            text.push_str("  ");
        }
        match value {
            None | Some("") => text.push('-'),
            // Nearly all are, and there may be millions.
            Some(value) if is_plain(value) => text.push_str(value),
            Some(value) => {
                let words: Vec<&str> = value.split_whitespace().collect();
                text.push_str(&visible_up_to(VALUE_WIDTH, &words.join(" ")));
            }
        }
    }
}

/// Whether a value can stand in a line as it is.
fn is_plain(value: &str) -> bool {
    let printed = |byte: &u8| (b' '..=b'~').contains(byte);
    let ends = [value.as_bytes().first(), value.as_bytes().last()];
    value.len() <= VALUE_WIDTH
        && value.as_bytes().iter().all(printed)
        && !ends.contains(&Some(&b' '))
        && !value.contains("  ")
}

/// Three digits that count, in a unit that fits.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.0995 => format!("{:.1} ms", s * 1e3),
        s if s < 0.9995 => format!("{:.0} ms", s * 1e3),
        s if s < 99.95 => format!("{s:.2} s"),
        s if s < 5_999.5 => format!("{:.1} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// One decimal, two below one percent.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 1.0 {
        format!("{percent:.2} %")
    } else {
        format!("{percent:.1} %")
    }
}

pub(super) const fn column(title: &'static str, spare: u8, least: usize, most: usize) -> Column {
    Column {
        title,
        spare,
        least,
        most,
        right: false,
    }
}

pub(super) const fn right(column: Column) -> Column {
    Column {
        right: true,
        ..column
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_in_its_column_whatever_is_in_it() {
        let long = "x".repeat(VALUE_WIDTH + 1);
        let cut = format!("{}… (1 bytes more)", &long[1..]);
        for (value, shown) in [
            (None, "-"),
            (Some(""), "-"),
            (Some("plain text~"), "plain text~"),
            (Some(" a  b\tc\n"), "a b c"),
            (Some("a\u{1b}[2Jé"), "a\\u{1b}[2Jé"),
            (Some("a\u{7f}"), "a\\u{7f}"),
            (Some(&long), &cut),
        ] {
            let mut line = String::new();
            push_line(&mut line, &[value, Some("z")]);
            assert_eq!(line, format!("{shown}  z"));
        }
    }
}
