//! Reads Objective-C type encodings: `v40@0:8@16Q24Q32` (Apple's "Type Encodings"; GCC's `objc-encoding.c`).

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `v`.
    Void,
    /// An integer, a `BOOL`, of so many bytes.
    Integer(usize),
    /// `f`.
    Float,
    /// `d`.
    Double,
    /// `D`.
    LongDouble,
    /// `t` and `T`.
    WideInteger,
    /// Objects, blocks, classes, selectors, C strings, pointers.
    Pointer,
    /// `{name=...}`; `None` where the fields are not given.
    Struct(Option<Vec<Type>>),
    /// `(name=...)`.
    Union,
    /// `[count type]`.
    Array(usize, Box<Type>),
    /// `b` and a width.
    BitField,
    /// GCC's `![size,alignment element]`, and Clang's empty encoding of a vector where it can be told.
    Vector,
    /// `?`: a type that cannot be expressed, other than behind a pointer.
    Unknown,
}

/// A method's types; the receiver and the selector are not among the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// What it returns.
    pub result: Type,
    /// What it takes.
    pub arguments: Vec<Type>,
}

/// Deepest nesting that is followed.
const DEEPEST: usize = 32;

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Signature {
    /// Reads a method's encoding. `None` if it cannot be read to the end or does not start as a method's does.
    pub fn parse(encoding: &[u8]) -> Option<Self> {
        let mut cursor = Cursor { rest: encoding };
        let result = cursor.argument()?;
        let receiver = cursor.rest.first().copied();
        let (first, second) = (cursor.argument()?, cursor.argument()?);
        if first != Type::Pointer
            || second != Type::Pointer
            || !matches!(receiver, Some(b'@' | b'#'))
        {
            return None;
        }
        let mut arguments = Vec::new();
        while !cursor.rest.is_empty() {
            match cursor.argument()? {
                Type::Void => return None,
                argument => arguments.push(argument),
            }
        }
        Some(Self { result, arguments })
    }
}

impl Cursor<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn skip_if(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.next();
        }
        found
    }

    fn number(&mut self) -> Option<usize> {
        let mut value: Option<usize> = None;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            value = Some(
                value
                    .unwrap_or(0)
                    .checked_mul(10)?
                    .checked_add(usize::from(digit - b'0'))?,
            );
            self.next();
        }
        value
    }

    /// A type and the offset that may follow it; GCC writes `+` before the offset of an argument in a register.
    fn argument(&mut self) -> Option<Type> {
        let argument = self.a_type(0)?;
        if self.skip_if(b'+') || self.skip_if(b'-') {
            self.number()?;
        } else {
            self.number();
        }
        Some(argument)
    }

    /// `const`, `in`, `inout`, `out`, `bycopy`, `byref`, `oneway`, `_Atomic`; GCC's `|` marks garbage collection.
    fn qualifiers(&mut self) {
        while matches!(
            self.peek(),
            Some(b'r' | b'n' | b'N' | b'o' | b'O' | b'R' | b'V' | b'A' | b'|')
        ) {
            self.next();
        }
    }

    fn a_type(&mut self, depth: usize) -> Option<Type> {
        if depth > DEEPEST {
            return None;
        }
        self.qualifiers();
        Some(match self.next()? {
            b'v' => Type::Void,
            b'c' | b'C' | b'B' => Type::Integer(1),
            b's' | b'S' => Type::Integer(2),
            b'i' | b'I' | b'l' | b'L' => Type::Integer(4),
            b'q' | b'Q' => Type::Integer(8),
            b't' | b'T' => Type::WideInteger,
            b'f' => Type::Float,
            b'd' => Type::Double,
            b'D' => Type::LongDouble,
            b'*' | b'#' | b':' | b'%' => Type::Pointer,
            b'?' => Type::Unknown,
            b'@' => self.object()?,
            b'^' => {
                self.pointee(depth)?;
                Type::Pointer
            }
            b'{' => Type::Struct(self.fields(b'}', depth)?),
            b'(' => {
                self.fields(b')', depth)?;
                Type::Union
            }
            b'[' => {
                let count = self.number()?;
                let element = self.a_type(depth + 1)?;
                self.skip_if(b']')
                    .then_some(Type::Array(count, Box::new(element)))?
            }
            b'b' => {
                self.bit_field(depth)?;
                Type::BitField
            }
            b'!' => {
                self.vector(depth)?;
                Type::Vector
            }
            _ => return None,
        })
    }

    /// Behind `@`: a class's name in quotes, or `?` and perhaps `<...>` for a block.
    fn object(&mut self) -> Option<Type> {
        if self.skip_if(b'"') {
            while self.next()? != b'"' {}
        } else if self.skip_if(b'?') && self.skip_if(b'<') {
            let mut open = 1;
            while open > 0 {
                match self.next()? {
                    b'<' => open += 1,
                    b'>' => open -= 1,
                    _ => {}
                }
            }
        }
        Some(Type::Pointer)
    }

    /// What a pointer points to is read but not kept. Nothing behind `^` is a pointer to a vector, which Clang leaves out.
    fn pointee(&mut self, depth: usize) -> Option<()> {
        match self.peek() {
            None | Some(b'0'..=b'9' | b'+' | b'-' | b'}' | b')' | b']' | b'"') => Some(()),
            Some(_) => self.a_type(depth + 1).map(|_| ()),
        }
    }

    /// `name=fields` up to `close`; `None` inside where there is no `=`.
    #[allow(clippy::option_option)] // unreadable, against readable without fields
    fn fields(&mut self, close: u8, depth: usize) -> Option<Option<Vec<Type>>> {
        let mut nested = 0_usize; // C++ templates have brackets in their names
        loop {
            match self.next()? {
                b'=' if nested == 0 => break,
                byte if byte == close && nested == 0 => return Some(None),
                b'<' => nested += 1,
                b'>' => nested = nested.saturating_sub(1),
                _ => {}
            }
        }
        let mut fields = Vec::new();
        while !self.skip_if(close) {
            if self.skip_if(b'"') {
                while self.next()? != b'"' {}
            }
            // `{name=?}` stands for fields that the compiler could not tell.
            match self.a_type(depth + 1)? {
                Type::Unknown => {
                    return if self.skip_if(close) {
                        Some(None)
                    } else {
                        None
                    };
                }
                field => fields.push(field),
            }
        }
        Some(Some(fields))
    }

    /// `b8`, or GCC's `b8I4`: position, type, width.
    fn bit_field(&mut self, depth: usize) -> Option<()> {
        self.number()?;
        let rest = self.rest;
        let gcc = self.a_type(depth + 1).is_some() && self.number().is_some();
        if !gcc {
            self.rest = rest;
        }
        Some(())
    }

    /// GCC: `![16,16f]`.
    fn vector(&mut self, depth: usize) -> Option<()> {
        let read = self.skip_if(b'[')
            && self.number().is_some()
            && self.skip_if(b',')
            && self.number().is_some()
            && self.a_type(depth + 1).is_some()
            && self.skip_if(b']');
        read.then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arguments(encoding: &str) -> Vec<Type> {
        Signature::parse(encoding.as_bytes())
            .expect(encoding)
            .arguments
    }

    #[test]
    fn offsets_and_qualifiers_are_skipped() {
        assert_eq!(arguments("v40@0:8@16Q24Q32"), arguments("v@:@QQ"));
        assert_eq!(arguments("v24@+0:+8r^v+16"), [Type::Pointer]);
        assert_eq!(arguments("v@:r^@{_NSRange=QQ}").len(), 2);
    }

    #[test]
    fn structures_nest() {
        let size = || Type::Struct(Some(vec![Type::Integer(8); 3]));
        assert_eq!(
            arguments("v@:{?={?=QQQ}{?=QQQ}}I"),
            [Type::Struct(Some(vec![size(), size()])), Type::Integer(4)]
        );
        assert_eq!(
            arguments(r#"v@:{P="x"d"y"d}"#),
            [Type::Struct(Some(vec![Type::Double, Type::Double]))]
        );
        assert_eq!(arguments("v@:{MTLTensorSlice=?}"), [Type::Struct(None)]);
        assert_eq!(
            arguments("v@:{vector<int, std::allocator<int>>=^i}"),
            [Type::Struct(Some(vec![Type::Pointer]))]
        );
    }

    #[test]
    fn blocks_classes_and_function_pointers_are_pointers() {
        assert_eq!(
            arguments(r#"v@:@?@?<v@?@>@"NSString"^?"#),
            vec![Type::Pointer; 4]
        );
        assert_eq!(
            arguments("@@:^(?={?=b8b24IQQ}{?=b8b24IQQ})Q"),
            [Type::Pointer, Type::Integer(8)]
        );
    }

    #[test]
    fn what_is_not_a_methods_is_refused() {
        for bad in [
            "", "v", "v@", "vQ:", "v@:{", "v@:[3", "v@:x", "v@:v", "v@:{a=QQ",
        ] {
            assert_eq!(Signature::parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(Signature::parse("^".repeat(100_000).as_bytes()), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_panics(encoding in r#"[vcCsSiIlLqQfdDtT@:#*^?{}()\[\]b!0-9=<>",+|a-z]{0,60}"#) {
            drop(Signature::parse(encoding.as_bytes()));
            drop(Signature::parse(format!("v@:{encoding}").as_bytes()));
        }
    }
}
