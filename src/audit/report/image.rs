//! One image, audited.

use std::collections::HashSet;
use std::fmt::Write;

use super::bypass::BypassAudit;
use super::family;
use super::model::{GapsAudit, ImageAudit, Unseen, UnseenKind};
use super::progress::{Progress, Stage};
use super::race::RaceAudit;
use crate::audit::coverage::Coverage;
use crate::audit::{Binary, Code, FileType, Gap, Gaps, Why};

/// How many gaps are told one by one. They are in the order of the file, and one structure that is
/// damaged makes many.
const GAPS_TOLD: usize = 20;

impl ImageAudit {
    /// What is in an image, and which ways lead past the hooks of `policy`; `progress` is told of each stage.
    pub fn of(binary: &Binary<'_>, policy: &str, progress: &mut dyn Progress) -> Self {
        progress.stage(Stage::Metadata);
        let objc = binary.objc();
        progress.stage(Stage::Functions);
        let code = Code::of(binary, &objc);
        progress.stage(Stage::Coverage);
        let coverage = Coverage::of(binary.processor(), &objc, code.as_ref());
        let bypass = code.as_ref().map(|code| {
            let sections = code.sections().iter();
            let bytes = sections.map(|section| section.end - section.start).sum();
            progress.stage(Stage::Bypass { bytes });
            BypassAudit::of(code, &coverage, policy, &mut |bytes| {
                progress.advance(bytes);
            })
        });
        let race = code.as_ref().map(|code| {
            progress.stage(Stage::Race);
            RaceAudit::of(code)
        });
        let family = family::of(&objc).map(str::to_owned);
        let all: Vec<&Gaps> = [binary.gaps(), &objc.gaps]
            .into_iter()
            .chain(code.as_ref().map(Code::gaps))
            .collect();
        let categories = objc.categories.iter();
        let in_categories: usize = categories
            .map(|it| it.instance_methods.len() + it.class_methods.len())
            .sum();
        let in_classes: usize = objc
            .classes
            .iter()
            .map(|it| it.instance_methods.len() + it.class_methods.len())
            .sum();
        let mut unseen = unseen(binary, code.is_some(), &coverage, family.as_deref(), &all);
        unseen.extend(instructions(bypass.as_ref(), race.as_ref()));
        ImageAudit {
            uuid: binary.uuid().map(uuid_text),
            file_type: file_type(binary.file_type()),
            base: binary.base(),
            unseen,
            family,
            classes: objc.classes.len(),
            methods: in_classes + in_categories,
            functions: code.as_ref().map(Code::function_count),
            gaps: GapsAudit {
                count: all.iter().map(|gaps| gaps.count()).sum(),
                first: all
                    .iter()
                    .flat_map(|gaps| gaps.kept())
                    .take(GAPS_TOLD)
                    .map(Gap::to_string)
                    .collect(),
            },
            coverage,
            bypass,
            race,
        }
    }
}

/// As crash reports write it.
fn uuid_text(uuid: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in uuid.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn file_type(of: FileType) -> String {
    match of {
        FileType::Executable => "program".to_owned(),
        FileType::Library => "library".to_owned(),
        FileType::Bundle => "bundle".to_owned(),
        FileType::Other(number) => format!("file type {number}"),
    }
}

fn unseen(
    binary: &Binary<'_>,
    has_code: bool,
    coverage: &Coverage,
    family: Option<&str>,
    gaps: &[&Gaps],
) -> Vec<Unseen> {
    let mut unseen = Vec::new();
    let mut add = |kind, text: String| unseen.push(Unseen { kind, text });
    let count = |is: fn(&Why) -> bool| {
        let kept = gaps.iter().flat_map(|gaps| gaps.kept());
        kept.filter(|gap| is(&gap.why)).count() as u64
    };
    let encrypted = count(|why| matches!(why, Why::Encrypted(_)));
    let cached = count(|why| matches!(why, Why::SharedCacheSelector));
    let all: u64 = gaps.iter().map(|gaps| gaps.count()).sum();
    let damaged = all - encrypted - cached;
    if damaged > 0 {
        add(
            UnseenKind::Damaged,
            format!(
                "{} could not be read: what is there is not told",
                places(damaged)
            ),
        );
    }
    if encrypted > 0 {
        add(
            UnseenKind::Encrypted,
            format!("{} are encrypted in the file", places(encrypted)),
        );
    }
    if binary.is_from_cache() || cached > 0 {
        let text = if cached > 0 {
            format!(
                "it is an image of the shared cache, which has {cached} selectors that this file has not"
            )
        } else {
            "it is an image of the shared cache: what it shares with others there is not in the file"
                .to_owned()
        };
        add(UnseenKind::SharedCache, text);
    }
    if !has_code {
        add(
            UnseenKind::Code,
            format!(
                "its code is for {}: instructions are read of arm64 and arm64e alone",
                binary.processor()
            ),
        );
    }
    if !coverage.classes.is_empty() && family.is_none() {
        add(
            UnseenKind::Family,
            "no class is named after a family of the AGX driver: what the classes are is judged by their superclasses alone"
                .to_owned(),
        );
    }
    if !coverage.unknown.is_empty() {
        let names: Vec<_> = coverage
            .unknown
            .iter()
            .map(|it| format!("{} (under {})", it.class, it.superclass))
            .collect();
        add(
            UnseenKind::Superclass,
            format!(
                "what these classes are is not known, nor what is to be hooked of them: {}",
                names.join(", ")
            ),
        );
    }
    let local: HashSet<&str> = coverage.classes.iter().map(|it| it.name.as_str()).collect();
    let outside = coverage.classes.iter().any(|class| {
        let superclass = class.superclass.as_deref();
        superclass.is_some_and(|name| !local.contains(name) && name != "NSObject")
    });
    if outside {
        add(
            UnseenKind::Inherited,
            "methods that the classes inherit from other images, such as Metal's and IOGPU's"
                .to_owned(),
        );
    }
    unseen
}

/// What was looked at in vain.
fn instructions(bypass: Option<&BypassAudit>, race: Option<&RaceAudit>) -> Option<Unseen> {
    let mut words = Vec::new();
    if let Some(BypassAudit { looked_at, .. }) = bypass {
        if looked_at.undecoded > 0 {
            words.push(format!(
                "{} of {} words of code are no instruction known here",
                looked_at.undecoded, looked_at.instructions
            ));
        }
        if looked_at.unread > 0 {
            words.push(format!(
                "{} bytes of code are not in the file",
                looked_at.unread
            ));
        }
    }
    if let Some(RaceAudit { looked_at, .. }) = race
        && looked_at.not_followed > 0
    {
        words.push(format!(
            "{} of {} functions that may load _impl could not be followed",
            looked_at.not_followed,
            looked_at.not_followed + looked_at.followed
        ));
    }
    (!words.is_empty()).then(|| Unseen {
        kind: UnseenKind::Instructions,
        text: words.join("; "),
    })
}

fn places(count: u64) -> String {
    match count {
        1 => "one place".to_owned(),
        count => format!("{count} places"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_written_as_crash_reports_do() {
        let uuid = std::array::from_fn(|index| u8::try_from(index * 17).expect("a byte"));
        assert_eq!(uuid_text(uuid), "00112233-4455-6677-8899-aabbccddeeff");
    }
}
