//! What the loader will have written into a pointer of the image.

/// A pointer as it will be in memory, were the image not slid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointer<'a> {
    /// Null, and it stays so.
    Null,
    /// An address of this image; in an image that was taken out of the shared cache, perhaps of
    /// another one.
    Address {
        /// The address, without the byte that a tagged pointer has at its top.
        address: u64,
        /// How the pointer is signed.
        authentication: Option<Authentication>,
    },
    /// Something of another image.
    Import {
        /// What.
        import: Import<'a>,
        /// Bytes past its address.
        addend: i64,
        /// How the pointer is signed.
        authentication: Option<Authentication>,
    },
}

/// A symbol that the loader looks for in other images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import<'a> {
    /// The symbol, with its underscore.
    pub name: &'a str,
    /// Where the loader looks.
    pub library: Library,
    /// Whether its absence is borne.
    pub weak: bool,
}

/// Where the loader looks for an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Library {
    /// One of the libraries that the image names, from 1 as the load commands stand.
    Ordinal(u16),
    /// The image itself.
    Itself,
    /// The program.
    Program,
    /// All images, in the order in which they were loaded.
    Flat,
    /// All images; the first that is not weak.
    Weak,
    /// A number that dyld does not know.
    Unknown(i16),
}

impl Library {
    /// By dyld's numbers: `BIND_SPECIAL_DYLIB_...`, which are zero and below.
    pub(super) fn of_number(number: i16) -> Self {
        match number {
            0 => Library::Itself,
            -1 => Library::Program,
            -2 => Library::Flat,
            -3 => Library::Weak,
            1.. => Library::Ordinal(number.unsigned_abs()),
            _ => Library::Unknown(number),
        }
    }
}

/// How a pointer of arm64e is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Authentication {
    /// The key.
    pub key: Key,
    /// The number that is mixed in.
    pub diversity: u16,
    /// Whether the pointer's own address is mixed in as well.
    pub by_address: bool,
}

/// A key of pointer authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// Instructions, A.
    IA,
    /// Instructions, B.
    IB,
    /// Data, A.
    DA,
    /// Data, B.
    DB,
}

impl Key {
    /// By the two bits of a fix-up.
    pub(super) fn of_bits(bits: u64) -> Self {
        match bits & 3 {
            0 => Key::IA,
            1 => Key::IB,
            2 => Key::DA,
            _ => Key::DB,
        }
    }
}
