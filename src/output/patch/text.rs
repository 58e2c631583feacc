//! The answer of `patch` for people.

use std::fmt::Write;

use super::{Answer, CANNOT, Outcome, hex, uuid};
use crate::output::terminal::{DIM, ERROR, OK, STRONG, WARNING, visible};
use crate::patch::signature::{SlotState, Verified};
use crate::patch::verify::{Against, Found, Report};
use crate::patch::{Known, Line, Patched, PatchedMethod, PatchedPart};

pub(super) fn of(answer: &Answer<'_>) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = match &answer.outcome {
        Outcome::Written(patched) => {
            made(&mut text, patched).and_then(|()| written(&mut text, answer))
        }
        Outcome::Made(patched) => made(&mut text, patched)
            .and_then(|()| writeln!(text, "\n{OK}ok{OK:#}: checked, and not written")),
        Outcome::Refused(why) => writeln!(text, "{ERROR}refused{ERROR:#}: {}", visible(why)),
        Outcome::Verified(report) => verified(&mut text, report),
    };
    text
}

fn written(text: &mut String, answer: &Answer<'_>) -> std::fmt::Result {
    let (Some(input), Some(output)) = (answer.input, answer.output) else {
        return Ok(());
    };
    writeln!(
        text,
        "\n{OK}ok{OK:#}: wrote {}; {} is as it was",
        visible(&output.to_string_lossy()),
        visible(&input.to_string_lossy())
    )
}

fn made(text: &mut String, patched: &Patched) -> std::fmt::Result {
    for part in &patched.parts {
        one_part(text, part)?;
    }
    for processor in &patched.untouched {
        writeln!(text, "{processor}: not touched\n")?;
    }
    if let Some(sum) = &patched.published {
        let style = if sum.found == sum.expected {
            OK
        } else {
            WARNING
        };
        let word = if sum.found == sum.expected {
            "is"
        } else {
            "is not"
        };
        writeln!(
            text,
            "published sum ({}): before it was signed again, the copy {style}{word}{style:#} the published one, SHA-256 {}\n",
            sum.form, sum.found
        )?;
    }
    cannot(text)
}

fn one_part(text: &mut String, part: &PatchedPart) -> std::fmt::Result {
    let build = part
        .uuid
        .map_or_else(String::new, |id| format!(", UUID {}", uuid(id)));
    writeln!(text, "{STRONG}{}{STRONG:#}{build}", part.processor)?;
    for method in &part.methods {
        one_method(text, method)?;
    }
    for other in &part.unrecognised {
        writeln!(
            text,
            "  {WARNING}left as it is{WARNING:#}: {} at {:#x}: {}",
            visible(&other.name),
            other.address,
            visible(&other.why)
        )?;
    }
    let signature = &part.signature;
    let certified = if signature.was_certified {
        ", where a certificate vouched for the original"
    } else {
        ""
    };
    writeln!(
        text,
        "  signature: `{}`, ad hoc{certified}; cdhash {}; {} of {} bytes; every hash read again and right\n",
        visible(&signature.identifier),
        hex(&signature.cdhash),
        signature.size,
        signature.room
    )
}

fn one_method(text: &mut String, method: &PatchedMethod) -> std::fmt::Result {
    writeln!(text, "  {} at {:#x}", visible(&method.name), method.address)?;
    let before: Vec<String> = method.before.iter().map(instruction).collect();
    let width = before.iter().map(String::len).max().unwrap_or(0).max(6);
    writeln!(
        text,
        "    {DIM}{:<10}  {:<width$}    after{DIM:#}",
        "address", "before"
    )?;
    for ((old, new), before) in method.before.iter().zip(&method.after).zip(before) {
        let address = old.instruction.address;
        if old.instruction == new.instruction {
            writeln!(text, "    {address:<#10x}  {before}")?;
        } else {
            let after = instruction(new);
            writeln!(
                text,
                "    {address:<#10x}  {before:<width$}  {STRONG}> {after}{STRONG:#}"
            )?;
        }
    }
    if !method.proof.frees {
        writeln!(
            text,
            "    {WARNING}leak{WARNING:#}: `free` is dropped where the list is full, as published"
        )?;
    }
    Ok(())
}

fn instruction(line: &Line) -> String {
    let text = line.instruction.text();
    match &line.calls {
        Some(name) => format!("{text} {}", visible(name)),
        None => text,
    }
}

fn cannot(text: &mut String) -> std::fmt::Result {
    writeln!(text, "{STRONG}What the patch cannot do{STRONG:#}")?;
    for sentence in CANNOT {
        writeln!(text, "  - {sentence}")?;
    }
    Ok(())
}

fn verified(text: &mut String, report: &Report) -> std::fmt::Result {
    for part in &report.parts {
        writeln!(text, "{STRONG}{}{STRONG:#}", part.processor)?;
        match &part.found {
            Ok(found) => one_found(text, found)?,
            Err(error) => writeln!(text, "  {ERROR}cannot be read{ERROR:#}: {error}")?,
        }
    }
    match &report.against {
        None => writeln!(
            text,
            "no original was named (--input): what else differs was not looked at"
        )?,
        Some(Against::Same(kind)) => writeln!(
            text,
            "against the original: {OK}nothing differs{OK:#} but the {} edits and the signature",
            kind.name()
        )?,
        Some(Against::Differs { offset, kind }) => writeln!(
            text,
            "against the original: {ERROR}offset {offset:#x} differs{ERROR:#} from the {} copy that would be made of it",
            kind.name()
        )?,
        Some(Against::Refused(why)) => writeln!(
            text,
            "against the original: {ERROR}it is refused{ERROR:#}: {}",
            visible(&why.to_string())
        )?,
    }
    writeln!(text)?;
    cannot(text)?;
    let outcome = if report.is_good() {
        format!("{OK}ok{OK:#}: patched, and rightly signed")
    } else {
        format!("{ERROR}FAILED{ERROR:#}: it is not the copy that it should be")
    };
    writeln!(text, "\n{outcome}")
}

fn one_found(text: &mut String, found: &Found) -> std::fmt::Result {
    if found.methods.is_empty() {
        writeln!(text, "  {ERROR}no method `destroyImpl`{ERROR:#}")?;
    }
    for (method, known) in &found.methods {
        let says = match known {
            Known::Patched(kind) => format!("{OK}patched{OK:#} ({})", kind.name()),
            Known::Race => format!("{ERROR}not patched{ERROR:#}: NULL is stored after the unlock"),
            Known::Unrecognised(why) => {
                format!("{WARNING}not recognised{WARNING:#}: {}", visible(why))
            }
        };
        writeln!(
            text,
            "  {} at {:#x}: {says}",
            visible(&method.name),
            method.address
        )?;
    }
    match &found.signature {
        Ok(signature) => one_signature(text, signature),
        Err(error) => writeln!(text, "  {ERROR}signature{ERROR:#}: {error}"),
    }
}

fn one_signature(text: &mut String, signature: &Verified) -> std::fmt::Result {
    let kind = if signature.is_ad_hoc() {
        "ad hoc"
    } else if signature.certified {
        "with a certificate, which is not looked at"
    } else {
        "not ad hoc, and without a certificate"
    };
    write!(
        text,
        "  signature: `{}`, {kind}: ",
        visible(&signature.identifier)
    )?;
    if let Some(fault) = signature.fault() {
        return writeln!(text, "{ERROR}{fault}{ERROR:#}");
    }
    let pages: usize = signature.directories.iter().map(|one| one.pages).sum();
    let outside = signature
        .directories
        .iter()
        .flat_map(|one| &one.slots)
        .any(|slot| slot.state == SlotState::Outside);
    let beside = if outside {
        "; those of files beside it were not looked at"
    } else {
        ""
    };
    writeln!(text, "{OK}{pages} page hashes right{OK:#}{beside}")
}
