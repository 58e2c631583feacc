//! Numbers and times in words.

use chrono::{DateTime, FixedOffset, Utc};
use maud::{Markup, html};

/// `1 crash`, `2 crashes`.
pub fn counted(count: usize, one: &str, more: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{} {more}", grouped(count))
    }
}

/// A number with a thin space between thousands.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A time to the second, in the page's time zone.
pub fn time(time: Option<DateTime<Utc>>, zone: FixedOffset) -> Markup {
    html! {
        @match time {
            Some(time) => {
                @let local = time.with_timezone(&zone);
                time datetime=(local.to_rfc3339()) { (local.format("%Y-%m-%d %H:%M:%S").to_string()) }
            }
            None => "not stated",
        }
    }
}

/// Things with how often each came: `python3 (12), zsh`.
pub fn list<T: maud::Render>(things: &[(T, usize)], more: usize, total: usize) -> Markup {
    html! {
        @for (at, (thing, count)) in things.iter().enumerate() {
            @if at > 0 { ", " }
            span.nowrap-end {
                bdi { (thing) }
                @if *count != total { " (" (grouped(*count)) ")" }
            }
        }
        @if more > 0 { ", and " (grouped(more)) " more" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_and_grouped() {
        assert_eq!(counted(1, "crash", "crashes"), "1 crash");
        assert_eq!(counted(0, "crash", "crashes"), "0 crashes");
        assert_eq!(counted(1234, "crash", "crashes"), "1\u{202f}234 crashes");
        assert_eq!(grouped(100), "100");
        assert_eq!(grouped(1_000_000), "1\u{202f}000\u{202f}000");
    }
}
