//! Audits of drivers that are kept, each under its image's UUID, where a crash report is explained.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::model::{Audit, FileAudit};
use super::saved::SavedError;

/// The folder's name within agxrun's own.
pub const FOLDER: &str = "audits";

/// A UUID as file names have it: lower case, with hyphens. Reports of old tools leave the hyphens out.
pub fn plain_uuid(uuid: &str) -> String {
    let digits = uuid.chars().filter(char::is_ascii_hexdigit);
    let digits: String = digits.map(|it| it.to_ascii_lowercase()).collect();
    if digits.len() != 32 {
        return digits;
    }
    let (parts, mut from) = ([8, 4, 4, 4, 12], 0);
    let parts = parts.map(|size| {
        from += size;
        &digits[from - size..from]
    });
    parts.join("-")
}

impl Audit {
    /// The audits of the drivers' images alone, each with the UUID under which it is kept.
    pub fn of_drivers(&self) -> Vec<(String, Audit)> {
        let drivers = self.images().filter(|(.., image)| image.family.is_some());
        drivers
            .filter_map(|(file, part, image)| {
                let uuid = plain_uuid(image.uuid.as_deref()?);
                let file = FileAudit {
                    path: file.path.clone(),
                    error: None,
                    parts: vec![part.clone()],
                    passed_over: Vec::new(),
                };
                Some((uuid, Audit::of(&self.policy, vec![file], None)))
            })
            .collect()
    }
}

/// The file in which the audit of an image is kept.
pub fn path(folder: &Path, uuid: &str) -> PathBuf {
    folder.join(plain_uuid(uuid)).with_extension("json")
}

/// The kept audit of an image; none where there is none.
pub fn find(folder: &Path, uuid: &str) -> Result<Option<Audit>, SavedError> {
    match Audit::read(&path(folder, uuid)) {
        Err(SavedError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// Makes the folder where it is not there.
pub fn prepare(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_the_same_however_it_is_written() {
        let plain = "0ce453ff-9f17-321f-bc18-383573a48221";
        for text in [
            plain,
            "0CE453FF-9F17-321F-BC18-383573A48221",
            "0CE453FF9F17321FBC18383573A48221",
            "<0ce453ff9f17321fbc18383573a48221>",
        ] {
            assert_eq!(plain_uuid(text), plain);
        }
        assert_eq!(plain_uuid("../../x"), "");
    }
}
