//! Reads a class dump: a line for a class (name, superclass, where it was seen), then a line that begins with a tab for each of
//! its own instance methods (selector, type encoding). `#` starts a comment; fields are separated by tabs.

use std::fmt;

use crate::rules::{self, Family};

/// A method of a class's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method<'a> {
    /// Its selector.
    pub selector: &'a str,
    /// Its type encoding.
    pub encoding: &'a str,
}

/// A class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its superclass, which need not be in the dump.
    pub superclass: &'a str,
    /// Where it was seen.
    pub source: &'a str,
    /// Its own instance methods.
    pub methods: Vec<Method<'a>>,
}

/// The classes of a dump, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump<'a> {
    /// All of them.
    pub classes: Vec<Class<'a>>,
}

/// A line that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the class dump: {}", self.line, self.why)
    }
}

impl std::error::Error for Unreadable {}

impl<'a> Dump<'a> {
    /// Reads a dump.
    ///
    /// # Errors
    /// The first line that is neither a class nor a method of one.
    pub fn parse(text: &'a str) -> Result<Self, Unreadable> {
        let mut classes: Vec<Class<'a>> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let wrong = |why| Unreadable {
                line: index + 1,
                why,
            };
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fields: Vec<&str> = line.split('\t').collect();
            let &[first, second, third] = fields.as_slice() else {
                return Err(wrong("not three fields"));
            };
            if second.is_empty() || third.is_empty() {
                return Err(wrong("an empty field"));
            }
            if first.is_empty() {
                let class = classes.last_mut().ok_or(wrong("a method of no class"))?;
                class.methods.push(Method {
                    selector: second,
                    encoding: third,
                });
            } else if classes.iter().any(|it| it.name == first) {
                return Err(wrong("a class that was there before"));
            } else {
                classes.push(Class {
                    name: first,
                    superclass: second,
                    source: third,
                    methods: Vec::new(),
                });
            }
        }
        Ok(Self { classes })
    }

    /// A class by its name.
    pub fn class(&self, name: &str) -> Option<&Class<'a>> {
        self.classes.iter().find(|it| it.name == name)
    }

    /// The class and its superclasses as far as the dump has them, the class first. Ends even where the dump is circular.
    pub fn lineage<'d>(&'d self, class: &'d Class<'a>) -> impl Iterator<Item = &'d Class<'a>> {
        std::iter::successors(Some(class), |it| self.class(it.superclass)).take(self.classes.len())
    }

    /// What a class is, by the root that it is under or is; `None` for a class that is none of ours.
    pub fn family(&self, class: &Class<'a>) -> Option<Family> {
        self.lineage(class).find_map(|ancestor| {
            let (_, family) = rules::ROOTS
                .iter()
                .find(|(root, _)| *root == ancestor.name)?;
            Some(*family)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_damaged_dump_is_refused_with_its_line() {
        for (text, line) in [
            ("\tinit\t@@:\n", 1),
            ("A\tNSObject\tx\n\tinit\n", 2),
            ("A\tNSObject\tx\n\tinit\t@@:\tmore\n", 2),
            ("A\t\tx\n", 1),
            ("#\n\nA\tB\tx\nA\tB\tx\n", 4),
        ] {
            assert_eq!(Dump::parse(text).map_err(|it| it.line), Err(line), "{text}");
        }
    }

    #[test]
    fn a_circle_of_superclasses_ends() {
        let dump = Dump::parse("A\tB\tx\nB\tA\tx\n").expect("readable");
        assert_eq!(dump.family(&dump.classes[0]), None);
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_the_text(text in "([a-c]{0,2}\t[a-c]{0,2}\t[a-c]{0,2}\n){0,6}") {
            if let Ok(dump) = Dump::parse(&text) {
                let mut again = Vec::new();
                for class in &dump.classes {
                    again.push([class.name, class.superclass, class.source].join("\t"));
                    let own = class.methods.iter();
                    again.extend(own.map(|it| ["", it.selector, it.encoding].join("\t")));
                }
                let lines: Vec<_> = text.lines().collect();
                prop_assert_eq!(again, lines);
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = Dump::parse(&text); // an error is an answer
        }
    }
}
