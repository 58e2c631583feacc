//! Names of addresses.

use object::{Object, ObjectSymbol, SymbolKind};

use crate::images::Elf;

/// A function in a file, at the address the file states.
struct Symbol {
    address: u64,
    size: u64,
    weak: bool,
    name: &'static str,
}

/// The functions of one file, by address.
pub struct Symbols(Vec<Symbol>);

impl Symbols {
    /// From `.symtab`, or `.dynsym` where the file is stripped.
    pub fn read(elf: &Elf) -> Self {
        let mut symbols: Vec<Symbol> = elf
            .symbols()
            .filter_map(|symbol| function(&symbol))
            .collect();
        if symbols.is_empty() {
            symbols = elf
                .dynamic_symbols()
                .filter_map(|symbol| function(&symbol))
                .collect();
        }
        // Of several names for one address (`raise`, `gsignal`, `__raise`), people know the one with the fewest leading
        // underscores, and of those the strong one.
        symbols.sort_by_key(|symbol| {
            let underscores = symbol.name.len() - symbol.name.trim_start_matches('_').len();
            (symbol.address, underscores, symbol.weak, symbol.name)
        });
        symbols.dedup_by_key(|symbol| symbol.address);
        Self(symbols)
    }

    /// The name of the function that `address` lies in, as a person writes it, and the function's address.
    pub fn find(&self, address: u64) -> Option<(String, u64)> {
        let after = self.0.partition_point(|symbol| symbol.address <= address);
        let symbol = &self.0[after.checked_sub(1)?];
        // Assembly may state no size; anything else ends where it says, and what follows has no name.
        let inside = symbol.size == 0 || address - symbol.address < symbol.size;
        inside.then(|| (demangle(symbol.name), symbol.address))
    }
}

fn function<S: ObjectSymbol<'static>>(symbol: &S) -> Option<Symbol> {
    let code = matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Unknown);
    let name = symbol.name().ok().filter(|name| !name.is_empty())?;
    let defined = symbol.section_index().is_some();
    (code && defined).then(|| Symbol {
        address: symbol.address(),
        size: symbol.size(),
        weak: symbol.is_weak(),
        name,
    })
}

/// A Rust or C++ name in source form; any other, such as `-[Class method:]`, as it is.
pub fn demangle(name: &str) -> String {
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return format!("{rust:#}");
    }
    if name.starts_with("_Z")
        && let Ok(symbol) = cpp_demangle::Symbol::new(name)
        && let Ok(text) = symbol.demangle()
    {
        return text;
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_read_as_in_the_source() {
        assert_eq!(
            demangle("_ZN4core3fmt5write17h0123456789abcdefE"),
            "core::fmt::write"
        );
        assert_eq!(
            demangle("_ZN3AGX13SpillInfoGen35allocEj"),
            "AGX::SpillInfoGen3::alloc(unsigned int)"
        );
        let method = "-[AGXG16XFamilyComputeContext setComputePipelineState:]";
        assert_eq!(demangle(method), method);
    }

    #[test]
    fn an_address_outside_every_function_has_no_name() {
        let symbols = Symbols(vec![
            Symbol {
                address: 0x10,
                size: 8,
                weak: false,
                name: "first",
            },
            Symbol {
                address: 0x20,
                size: 0,
                weak: false,
                name: "assembly",
            },
        ]);
        assert_eq!(symbols.find(0xf), None);
        assert_eq!(symbols.find(0x17), Some(("first".to_owned(), 0x10)));
        assert_eq!(symbols.find(0x18), None);
        assert_eq!(symbols.find(0x25), Some(("assembly".to_owned(), 0x20)));
    }

    proptest! {
        #[test]
        fn no_name_panics(name in ".{0,60}", mangled in "_(Z|R)[A-Za-z0-9_]{0,40}") {
            demangle(&name);
            demangle(&mangled);
        }
    }
}
