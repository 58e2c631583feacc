//! Functions that are called like methods and are in no list of methods.

use std::collections::HashSet;

use super::LookedAt;
use crate::audit::Code;
use crate::audit::code::{method_name, methods};

/// A function that is called like a method and that the runtime does not know: what
/// `__attribute__((objc_direct))` makes of one. No swizzle can reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectMethod<'b> {
    /// Its symbol, such as `-[Class selector]`.
    pub symbol: &'b str,
    /// Where it begins.
    pub address: u64,
}

impl<'b> DirectMethod<'b> {
    /// The class that its name has; a category's name is left out.
    pub fn class(&self) -> &'b str {
        parts(self.symbol).map_or("", |(_, class, _)| class)
    }
}

pub(super) fn all<'b>(code: &Code<'b>, looked_at: &mut LookedAt) -> Vec<DirectMethod<'b>> {
    let known: HashSet<(String, u64)> = methods(code.objc())
        .filter_map(|(class, of_class, method)| {
            let name = method_name(class, of_class, method.selector);
            Some((name, method.implementation?))
        })
        .collect();
    // Without a table there are none; that it is missing is one of the code's gaps.
    let Ok(symbols) = code.binary().symbols() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for symbol in symbols {
        let (Some(name), Some(address)) = (symbol.name, symbol.address) else {
            continue;
        };
        if !code.is_code(address) {
            continue;
        }
        looked_at.symbols += 1;
        let Some((sign, class, selector)) = parts(name) else {
            continue;
        };
        let plain = method_name(class, sign == '+', Some(selector));
        if !known.contains(&(plain, address)) {
            found.push(DirectMethod {
                symbol: name,
                address,
            });
        }
    }
    found
}

/// Sign, class and selector of a method's name: `-[Class selector]`, `+[Class(Category) selector]`.
fn parts(symbol: &str) -> Option<(char, &str, &str)> {
    // Clang writes direct methods' symbols with a byte 1 in front where they would need none.
    let symbol = symbol.strip_prefix('\u{1}').unwrap_or(symbol);
    let sign = symbol.chars().next().filter(|it| matches!(it, '-' | '+'))?;
    let inner = symbol[1..].strip_prefix('[')?.strip_suffix(']')?;
    let (class, selector) = inner.split_once(' ')?;
    let class = class.split_once('(').map_or(class, |(class, _)| class);
    Some((sign, class, selector))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_parts() {
        assert_eq!(parts("-[Dog bark:at:]"), Some(('-', "Dog", "bark:at:")));
        assert_eq!(parts("+[Dog(Loud) bark]"), Some(('+', "Dog", "bark")));
        for other in ["_main", "-", "-[Dog]", "", "é[Dog bark]"] {
            assert_eq!(parts(other), None, "{other}");
        }
    }
}
