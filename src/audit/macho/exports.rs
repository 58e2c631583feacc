//! The tree of exported symbols.

use super::super::Why;
use super::cursor::Cursor;
use super::pointer::Library;

/// A symbol that other images can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export<'a> {
    /// The symbol, with its underscore.
    pub name: &'a str,
    /// What it stands for.
    pub kind: ExportKind<'a>,
    /// Whether another image's symbol of the name may replace it.
    pub weak: bool,
}

/// What an exported symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportKind<'a> {
    /// An address of the image.
    Address(u64),
    /// Where the descriptor of a thread's variable is.
    ThreadLocal(u64),
    /// A number that is not slid.
    Absolute(u64),
    /// A function found by another one, when it is first needed.
    Resolved {
        /// The stub that is called.
        stub: u64,
        /// The function that finds it.
        resolver: u64,
    },
    /// A symbol of another image.
    Reexport {
        /// Where.
        library: Library,
        /// Its name there.
        name: &'a str,
    },
}

/// Calls `found` with each export of `tree`, the image beginning at `base`. Where something is wrong,
/// `wrong` is told the offset and the reason, and the rest of the tree is read.
pub(super) fn read<'a>(
    tree: &'a [u8],
    base: u64,
    found: &mut dyn FnMut(Export<'_>),
    wrong: &mut dyn FnMut(u64, Why),
) {
    if tree.is_empty() {
        return;
    }
    let mut walk = Walk {
        tree,
        base,
        visited: vec![false; tree.len()],
        pending: vec![Pending {
            node: 0,
            prefix: 0,
            suffix: &[],
        }],
        name: Vec::new(),
        // An honest tree has fewer texts than bytes: each byte of a label is shared by those below it.
        left: tree.len() as u64 * 64,
    };
    while let Some(pending) = walk.pending.pop() {
        if let Err(why) = walk.node(&pending, found) {
            wrong(pending.node, why.clone());
            if why == Why::TooMuchWork {
                return;
            }
        }
    }
}

struct Walk<'a> {
    tree: &'a [u8],
    base: u64,
    visited: Vec<bool>,
    pending: Vec<Pending<'a>>,
    name: Vec<u8>,
    /// How many bytes of names may still be told.
    left: u64,
}

/// A node that is still to be read: its name is `prefix` bytes of the present one, and `suffix`.
struct Pending<'a> {
    node: u64,
    prefix: usize,
    suffix: &'a [u8],
}

impl<'a> Walk<'a> {
    fn node(
        &mut self,
        pending: &Pending<'a>,
        found: &mut dyn FnMut(Export<'_>),
    ) -> Result<(), Why> {
        let place = usize::try_from(pending.node).unwrap_or(usize::MAX);
        let visited = self.visited.get_mut(place).ok_or(Why::Truncated {
            needed: pending.node,
            available: self.tree.len() as u64,
        })?;
        if std::mem::replace(visited, true) {
            return Err(Why::Twice);
        }
        self.name.truncate(pending.prefix);
        self.name.extend_from_slice(pending.suffix);
        if self.name.len() > LONGEST {
            return Err(Why::Endless(pending.node));
        }

        let mut cursor = Cursor::starting_at(self.tree, pending.node).ok_or(Why::Number)?;
        let size = cursor.unsigned()?;
        let children = cursor.position() as u64;
        if size > 0 {
            self.left = self
                .left
                .checked_sub(self.name.len() as u64)
                .ok_or(Why::TooMuchWork)?;
            let name = std::str::from_utf8(&self.name).map_err(|_| Why::NotUtf8(pending.node))?;
            found(terminal(&mut cursor, name, self.base)?);
        }
        let children = children
            .checked_add(size)
            .and_then(|at| Cursor::starting_at(self.tree, at));
        let mut cursor = children.ok_or(Why::Truncated {
            needed: size,
            available: self.tree.len() as u64,
        })?;
        let count = cursor.byte().unwrap_or(0);
        let prefix = self.name.len();
        let first = self.pending.len();
        for _ in 0..count {
            let suffix = cursor.text()?.as_bytes();
            let node = cursor.unsigned()?;
            self.pending.push(Pending {
                node,
                prefix,
                suffix,
            });
        }
        // In the tree's order, and a node's children before its sisters: the name is built that way.
        self.pending[first..].reverse();
        Ok(())
    }
}

/// A node's own entry.
fn terminal<'n, 'a: 'n>(
    cursor: &mut Cursor<'a>,
    name: &'n str,
    base: u64,
) -> Result<Export<'n>, Why> {
    let flags = cursor.unsigned()?;
    let kind = if flags & REEXPORT != 0 {
        let library = i16::try_from(cursor.unsigned()?).map_err(|_| Why::Number)?;
        let other = cursor.text()?;
        ExportKind::Reexport {
            library: Library::of_number(library),
            name: if other.is_empty() { name } else { other },
        }
    } else {
        let value = cursor.unsigned()?;
        let address = base.wrapping_add(value);
        if flags & STUB_AND_RESOLVER != 0 {
            ExportKind::Resolved {
                stub: address,
                resolver: base.wrapping_add(cursor.unsigned()?),
            }
        } else {
            match flags & KIND {
                0 => ExportKind::Address(address),
                1 => ExportKind::ThreadLocal(address),
                2 => ExportKind::Absolute(value),
                other => return Err(Why::Format(u32::try_from(other).unwrap_or(u32::MAX))),
            }
        }
    };
    Ok(Export {
        name,
        kind,
        weak: flags & WEAK != 0,
    })
}

const KIND: u64 = 3;
const WEAK: u64 = 4;
const REEXPORT: u64 = 8;
const STUB_AND_RESOLVER: u64 = 16;
const LONGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn all(tree: &[u8]) -> (Vec<(String, String)>, Vec<Why>) {
        let mut exports = Vec::new();
        let mut gaps = Vec::new();
        read(
            tree,
            0x1000,
            &mut |export| exports.push((export.name.to_owned(), format!("{:?}", export.kind))),
            &mut |_, why| gaps.push(why),
        );
        (exports, gaps)
    }

    /// `_a` at 0x1010, `_ab` from the second library as `_x`.
    const TREE: &[u8] = &[
        0, 1, b'_', b'a', 0, 6, // root: one child
        2, 0, 0x10, 1, b'b', 0, 13, // `_a`
        5, 8, 2, b'_', b'x', 0, 0, // `_ab`
    ];

    #[test]
    fn names_are_put_together_along_the_branches() {
        let (exports, gaps) = all(TREE);
        assert_eq!(
            exports,
            [
                ("_a".to_owned(), "Address(4112)".to_owned()),
                (
                    "_ab".to_owned(),
                    "Reexport { library: Ordinal(2), name: \"_x\" }".to_owned()
                ),
            ]
        );
        assert_eq!(gaps, []);
    }

    #[test]
    fn a_branch_that_leads_back_is_told_once_and_left() {
        let mut tree = TREE.to_vec();
        tree[12] = 0;
        let (exports, gaps) = all(&tree);
        assert_eq!(exports.len(), 1);
        assert_eq!(gaps, [Why::Twice]);
    }

    #[test]
    fn wherever_a_tree_is_cut_off_it_is_told() {
        for length in 0..TREE.len() {
            let (exports, gaps) = all(&TREE[..length]);
            assert!(exports.len() <= 2, "{length}");
            assert!(length == 0 || !gaps.is_empty(), "{length}");
        }
    }
}
