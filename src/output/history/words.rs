//! What lists and groups have in common.

use crate::output::table::Column;
use crate::output::terminal::visible_up_to;

/// How much of one value stands in a plain line, in characters.
const VALUE_WIDTH: usize = 300;

/// Values two blanks apart: in none of them two blanks stand together, nor a tab.
pub(super) fn line(values: &[Option<&str>]) -> String {
    let value = |value: Option<&str>| match value {
        None | Some("") => "-".to_owned(),
        Some(text) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            visible_up_to(VALUE_WIDTH, &words.join(" "))
        }
    };
    let columns: Vec<String> = values.iter().copied().map(value).collect();
    columns.join("  ")
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
