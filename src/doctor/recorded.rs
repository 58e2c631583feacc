//! A host that answers what was recorded, and nothing else.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::command::{Answer, LIMIT};
use super::host::Host;

/// Answers by command line.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    answers: BTreeMap<String, Answer>,
    texts: BTreeMap<String, String>,
    programs: BTreeMap<String, PathBuf>,
    existing: Vec<PathBuf>,
    variables: BTreeMap<String, String>,
    room: Option<u64>,
    is_root: bool,
}

impl Recorded {
    /// What a command line wrote, and with which status it ended. Of a long argument, as a script
    /// is, the first word stands.
    pub fn says(self, command: &str, code: i32, out: &str) -> Self {
        self.answers_with(
            command,
            Answer::Ended {
                code: Some(code),
                out: out.to_owned(),
                err: String::new(),
            },
        )
    }

    pub fn complains(self, command: &str, code: i32, err: &str) -> Self {
        self.answers_with(
            command,
            Answer::Ended {
                code: Some(code),
                out: String::new(),
                err: err.to_owned(),
            },
        )
    }

    pub fn hangs(self, command: &str) -> Self {
        self.answers_with(command, Answer::Late { limit: LIMIT })
    }

    fn answers_with(mut self, command: &str, answer: Answer) -> Self {
        self.answers.insert(command.to_owned(), answer);
        self
    }

    pub fn text(mut self, path: &str, text: &str) -> Self {
        self.texts.insert(path.to_owned(), text.to_owned());
        self
    }

    pub fn program(mut self, name: &str, path: &str) -> Self {
        self.programs.insert(name.to_owned(), path.into());
        self.existing.push(path.into());
        self
    }

    pub fn file(mut self, path: &str) -> Self {
        self.existing.push(path.into());
        self
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn of_root(mut self) -> Self {
        self.is_root = true;
        self
    }

    pub fn free(mut self, bytes: u64) -> Self {
        self.room = Some(bytes);
        self
    }
}

impl Host for Recorded {
    fn ask(&self, program: &str, arguments: &[&str]) -> Answer {
        let mut words = vec![program];
        words.extend(arguments.iter().filter(|argument| !argument.contains('\n')));
        self.answers
            .get(&words.join(" "))
            .cloned()
            .unwrap_or(Answer::Missing)
    }

    fn text(&self, path: &str) -> io::Result<String> {
        let text = self.texts.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(text.clone())
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        self.programs.get(name).cloned()
    }

    fn exists(&self, path: &Path) -> bool {
        self.existing.iter().any(|known| known == path)
    }

    fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    fn room(&self, _: &Path) -> io::Result<u64> {
        Ok(self.room.ok_or(io::ErrorKind::Unsupported)?)
    }

    fn user(&self) -> u32 {
        if self.is_root { 0 } else { 501 }
    }
}
