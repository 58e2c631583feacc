//! A code directory: the hashes of an image's pages and of the other blobs.

use sha2::{Digest, Sha256, Sha384};

use super::blobs::{self, put_size, put_u32, put_u64, u32_at, u64_at};
use super::{Hash, SignatureError};

/// A code directory as it is read.
#[derive(Debug)]
pub(super) struct Directory<'a> {
    /// `CS_...`, as in `crate::target::image::Flags`.
    pub flags: u32,
    /// The identifier, without the zero byte at its end.
    pub identifier: &'a [u8],
    /// How many bytes of the image it speaks of, from the first.
    pub limit: u64,
    /// Bytes of a page.
    pub page: usize,
    /// How it hashes.
    pub hash: Hash,
    /// The hashes of slot 1, slot 2, ...: all zeros where there is nothing.
    pub special: Vec<&'a [u8]>,
    /// The hashes of the pages.
    pub pages: Vec<&'a [u8]>,
    /// `CS_EXECSEG_...`; none before version 0x20400.
    pub segment_flags: Option<u64>,
    /// The version of the hardened runtime; none before version 0x20500.
    pub runtime: Option<u32>,
}

impl<'a> Directory<'a> {
    /// Reads the blob `bytes`.
    pub fn read(bytes: &'a [u8]) -> Result<Self, SignatureError> {
        let field = |offset| u32_at(bytes, offset).ok_or_else(|| damaged("it is cut off"));
        let wide = |offset| u64_at(bytes, offset).ok_or_else(|| damaged("it is cut off"));
        if field(0)? != blobs::DIRECTORY_MAGIC {
            return Err(damaged("another magic number"));
        }
        let version = field(8)?;
        if version >> 16 != 2 {
            return Err(unknown(format!("a code directory of version {version:#x}")));
        }
        let [size, kind, _, page] = field(36)?.to_be_bytes();
        let hash = hash_of(kind, size)?;
        if version >= SCATTERED && field(44)? != 0 {
            return Err(unknown("a scatter vector".to_owned()));
        }
        let limit = match (version >= WIDE_LIMIT).then(|| wide(56)).transpose()? {
            None | Some(0) => field(32)?.into(),
            Some(limit) => limit,
        };
        let (special, code) = (field(24)? as usize, field(28)? as usize);
        let (before, after) = (special * length(hash), code * length(hash));
        let origin = field(16)? as usize;
        let start = origin
            .checked_sub(before)
            .ok_or_else(|| damaged("its hashes begin before it does"))?;
        let hashes = bytes
            .get(start..origin.saturating_add(after))
            .ok_or_else(|| damaged("its hashes reach past its end"))?;
        let (special, pages) = hashes.split_at(before);
        if page != 12 && page != 14 {
            return Err(unknown(format!("pages of 2^{page} bytes")));
        }
        let page = 1 << page;
        if pages.len() / length(hash) != usize::try_from(limit).unwrap_or(usize::MAX).div_ceil(page)
        {
            return Err(damaged("its number of pages is not that of its limit"));
        }
        Ok(Directory {
            flags: field(12)?,
            identifier: text_at(bytes, field(20)? as usize)?,
            limit,
            page,
            hash,
            special: special.rchunks_exact(length(hash)).collect(),
            pages: pages.chunks_exact(length(hash)).collect(),
            segment_flags: (version >= EXECUTABLE).then(|| wide(80)).transpose()?,
            runtime: (version >= RUNTIME).then(|| field(88)).transpose()?,
        })
    }

    /// Its hash of `bytes`; none of a kind that is not computed here.
    pub fn hash_of(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut hash = match self.hash {
            Hash::Sha1 => return None,
            Hash::Sha256 | Hash::Sha256Truncated => Sha256::digest(bytes).to_vec(),
            Hash::Sha384 => Sha384::digest(bytes).to_vec(),
        };
        hash.truncate(length(self.hash));
        Some(hash)
    }

    /// Where in the image each page is.
    pub fn extents(&self) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let (limit, page) = (usize::try_from(self.limit).unwrap_or(usize::MAX), self.page);
        (0..limit)
            .step_by(page)
            .map(move |start| start..limit.min(start.saturating_add(page)))
    }
}

/// What a new code directory says; it hashes with SHA-256.
#[derive(Debug)]
pub(super) struct New<'a> {
    pub flags: u32,
    pub identifier: &'a [u8],
    /// What it speaks of: the image up to its signature.
    pub code: &'a [u8],
    /// log2 of a page's bytes is taken from it.
    pub page: usize,
    /// The hashes of slot 1, slot 2, ...
    pub special: Vec<[u8; 32]>,
    /// Where `__TEXT` is in the file.
    pub text: std::ops::Range<u64>,
    pub segment_flags: u64,
    pub runtime: Option<u32>,
}

/// The blob of a new code directory. Its version is the lowest that has its fields, as `codesign` does
/// it: 0x20400, and 0x20500 with a version of the hardened runtime.
pub(super) fn write(new: &New<'_>) -> Vec<u8> {
    let head = if new.runtime.is_some() { 96 } else { 88 };
    let origin = head + new.identifier.len() + 1 + new.special.len() * length(Hash::Sha256);
    let pages = new.code.chunks(new.page);
    let mut bytes = Vec::new();
    put_u32(&mut bytes, if head == 96 { RUNTIME } else { EXECUTABLE });
    put_u32(&mut bytes, new.flags);
    put_size(&mut bytes, origin);
    put_size(&mut bytes, head);
    put_size(&mut bytes, new.special.len());
    put_size(&mut bytes, pages.len());
    put_size(&mut bytes, new.code.len()); // a signature's place is a number of 32 bits
    // Of no platform: only Apple's own signatures may say that they are a part of macOS.
    let shift = u8::try_from(new.page.trailing_zeros()).unwrap_or(u8::MAX);
    bytes.extend_from_slice(&[32, SHA_256, 0, shift]);
    // Spare; no scatter vector; no team; spare.
    bytes.extend_from_slice(&[0; 16]);
    put_u64(&mut bytes, 0); // the limit, where 32 bits are not enough for it
    put_u64(&mut bytes, new.text.start);
    put_u64(&mut bytes, new.text.end - new.text.start);
    put_u64(&mut bytes, new.segment_flags);
    if let Some(runtime) = new.runtime {
        put_u32(&mut bytes, runtime);
        put_u32(&mut bytes, 0); // no hashes from before an encryption
    }
    bytes.extend_from_slice(new.identifier);
    bytes.push(0);
    for hash in new.special.iter().rev() {
        bytes.extend_from_slice(hash);
    }
    for page in pages {
        bytes.extend_from_slice(&Sha256::digest(page));
    }
    blobs::blob(blobs::DIRECTORY_MAGIC, &bytes)
}

fn text_at(bytes: &[u8], offset: usize) -> Result<&[u8], SignatureError> {
    let rest = bytes.get(offset..).unwrap_or_default();
    let end = memchr::memchr(0, rest).ok_or_else(|| damaged("its identifier does not end"))?;
    Ok(&rest[..end])
}

fn hash_of(kind: u8, size: u8) -> Result<Hash, SignatureError> {
    let hash = match kind {
        1 => Hash::Sha1,
        SHA_256 => Hash::Sha256,
        3 => Hash::Sha256Truncated,
        4 => Hash::Sha384,
        _ => return Err(unknown(format!("a hash of the kind {kind}"))),
    };
    if usize::from(size) == length(hash) {
        Ok(hash)
    } else {
        Err(damaged("its hashes are not as long as their kind is"))
    }
}

fn length(hash: Hash) -> usize {
    match hash {
        Hash::Sha1 | Hash::Sha256Truncated => 20,
        Hash::Sha256 => 32,
        Hash::Sha384 => 48,
    }
}

fn damaged(why: &str) -> SignatureError {
    SignatureError::damaged("a code directory", why)
}

fn unknown(what: String) -> SignatureError {
    SignatureError::Unknown(what)
}

const SHA_256: u8 = 2;

const SCATTERED: u32 = 0x2_0100;
const WIDE_LIMIT: u32 = 0x2_0300;
const EXECUTABLE: u32 = 0x2_0400;
const RUNTIME: u32 = 0x2_0500;
