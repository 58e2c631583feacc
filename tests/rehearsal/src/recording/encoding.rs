//! Reads type encodings as far as a caller has to: sizes, alignments, and which scalars are floating.
//!
//! Written apart from the fix library's reader, so that a test of one against the other can find a mistake in either.

/// A type that can be passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `v`.
    Void,
    /// A scalar: its encoding's first character, and its size in bytes, which is its alignment too.
    Scalar(u8, usize),
    /// A structure's fields.
    Struct(Vec<Type>),
}

/// A method's types, without receiver and selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// What it returns.
    pub result: Type,
    /// What it takes.
    pub arguments: Vec<Type>,
}

/// Nested types that are followed; the dumps have three levels.
const DEEPEST: usize = 24;

impl Type {
    /// Size and alignment in memory, in bytes.
    pub fn layout(&self) -> (usize, usize) {
        match self {
            Self::Void => (0, 1),
            Self::Scalar(_, size) => (*size, *size),
            Self::Struct(fields) => {
                let (mut size, mut align) = (0_usize, 1);
                for field in fields {
                    let (field_size, field_align) = field.layout();
                    size = size.next_multiple_of(field_align) + field_size;
                    align = align.max(field_align);
                }
                (size.next_multiple_of(align), align)
            }
        }
    }

    /// The scalars with their byte offsets, in order.
    pub fn scalars(&self) -> Vec<(usize, u8, usize)> {
        let mut found = Vec::new();
        self.collect(0, &mut found);
        found
    }

    fn collect(&self, at: usize, found: &mut Vec<(usize, u8, usize)>) {
        match self {
            Self::Void => {}
            Self::Scalar(code, size) => found.push((at, *code, *size)),
            Self::Struct(fields) => {
                let mut next = at;
                for field in fields {
                    let (size, align) = field.layout();
                    next = next.next_multiple_of(align);
                    field.collect(next, found);
                    next += size;
                }
            }
        }
    }
}

impl Signature {
    /// Reads a method's encoding; `None` where it holds what this file does not pass: unions, arrays, bit fields, vectors.
    pub fn parse(encoding: &str) -> Option<Self> {
        let mut rest = encoding.as_bytes();
        let result = one(&mut rest, 0)?;
        let head = [one(&mut rest, 0)?, one(&mut rest, 0)?];
        if head != [Type::Scalar(b'@', 8), Type::Scalar(b':', 8)] {
            return None;
        }
        let mut arguments = Vec::new();
        while !rest.is_empty() {
            arguments.push(one(&mut rest, 0).filter(|it| *it != Type::Void)?);
        }
        Some(Self { result, arguments })
    }
}

fn next(rest: &mut &[u8]) -> Option<u8> {
    let (first, others) = rest.split_first()?;
    *rest = others;
    Some(*first)
}

fn one(rest: &mut &[u8], depth: usize) -> Option<Type> {
    while let Some(b'r' | b'n' | b'N' | b'o' | b'O' | b'R' | b'V' | b'A') = rest.first() {
        next(rest);
    }
    let code = next(rest)?;
    Some(match code {
        b'v' => Type::Void,
        b'c' | b'C' | b'B' => Type::Scalar(code, 1),
        b's' | b'S' => Type::Scalar(code, 2),
        b'i' | b'I' | b'l' | b'L' | b'f' => Type::Scalar(code, 4),
        b'@' if rest.first() == Some(&b'?') => {
            next(rest);
            Type::Scalar(b'?', 8)
        }
        b'q' | b'Q' | b'd' | b':' | b'#' | b'*' | b'@' => Type::Scalar(code, 8),
        b'^' => {
            skip(rest, depth + 1)?;
            Type::Scalar(code, 8)
        }
        b'{' if depth < DEEPEST => Type::Struct(fields(rest, depth)?),
        _ => return None,
    })
}

/// `name=fields}`.
fn fields(rest: &mut &[u8], depth: usize) -> Option<Vec<Type>> {
    while next(rest)? != b'=' {}
    let mut fields = Vec::new();
    while rest.first()? != &b'}' {
        fields.push(one(rest, depth + 1).filter(|it| *it != Type::Void)?);
    }
    next(rest);
    (!fields.is_empty()).then_some(fields)
}

/// Passes over what a pointer points at, which may be anything: brackets are matched, nothing is understood.
fn skip(rest: &mut &[u8], depth: usize) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    match next(rest)? {
        b'^' | b'r' | b'A' => skip(rest, depth + 1),
        b'{' | b'(' | b'[' => {
            let mut open = 1;
            while open > 0 {
                match next(rest)? {
                    b'{' | b'(' | b'[' => open += 1,
                    b'}' | b')' | b']' => open -= 1,
                    _ => {}
                }
            }
            Some(())
        }
        b'@' if rest.first() == Some(&b'?') => next(rest).map(|_| ()),
        _ => Some(()),
    }
}
