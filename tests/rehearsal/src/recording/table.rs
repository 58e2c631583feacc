//! Reads the embedded class dump (`data/driver-classes.tsv`). Pure.

use std::ffi::CStr;

/// A class of the dump.
#[derive(Debug)]
pub struct Dumped {
    /// Its name.
    pub name: &'static CStr,
    /// Its superclass.
    pub superclass: &'static CStr,
    /// Selector and type encoding of its own instance methods.
    pub methods: Vec<(&'static CStr, &'static CStr)>,
}

/// The table as it is embedded.
pub const TEXT: &str = include_str!("../../data/driver-classes.tsv");

/// Reads a table: a line for a class, a line that begins with a tab for each of its methods, comments with `#`. The classes,
/// superclasses first; or the line that is wrong, and why.
///
/// Keeps one copy of the text for as long as the process lives, in which every field ends with a NUL.
pub fn read(text: &str) -> Result<Vec<Dumped>, String> {
    let ended = |byte| {
        if matches!(byte, b'\t' | b'\n') {
            0
        } else {
            byte
        }
    };
    let kept: &'static [u8] = text
        .bytes()
        .map(ended)
        .chain([0])
        .collect::<Vec<_>>()
        .leak();
    let mut classes: Vec<Dumped> = Vec::new();
    let mut start = 0;
    for (number, line) in text.split('\n').enumerate() {
        let wrong = |why: &str| format!("driver-classes.tsv, line {}: {why}", number + 1);
        let mut at = start;
        start += line.len() + 1;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.contains('\0') {
            return Err(wrong("a NUL"));
        }
        let mut fields = [c""; 3];
        let mut count = 0;
        for field in line.split('\t') {
            let terminated = kept.get(at..=at + field.len());
            let place = fields.get_mut(count);
            match (place, terminated.map(CStr::from_bytes_with_nul)) {
                (Some(place), Some(Ok(field))) => *place = field,
                _ => return Err(wrong("more than three fields")),
            }
            at += field.len() + 1;
            count += 1;
        }
        let [first, second, third] = fields;
        match classes.last_mut() {
            _ if count != 3 => return Err(wrong("fewer than three fields")),
            Some(class) if first.is_empty() => {
                if !is_selector(second) || third.count_bytes() < 3 {
                    return Err(wrong("neither a selector nor its encoding"));
                }
                class.methods.push((second, third));
            }
            _ if is_name(first.to_bytes()) && is_name(second.to_bytes()) => classes.push(Dumped {
                name: first,
                superclass: second,
                methods: Vec::new(),
            }),
            _ => return Err(wrong("neither a class nor a method of one")),
        }
    }
    Ok(classes)
}

fn is_name(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'_')
}

fn is_selector(text: &CStr) -> bool {
    let mut parts = text.to_bytes().split(|c| *c == b':');
    parts.next().is_some_and(is_name) && parts.all(|part| part.is_empty() || is_name(part))
}
