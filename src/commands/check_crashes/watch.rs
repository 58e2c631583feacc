//! `check-crashes --watch`: new crashes, as they come.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Result;

use super::Asked;
use super::ask::check_signatures;
use super::judge::Judge;
use super::select::Filter;
use crate::baseline::Listed;
use crate::cli::CheckCrashesArgs;
use crate::commands::watch::watch;
use crate::output::crash::CrashView;
use crate::output::crashes::Kind;
use crate::output::terminal;
use crate::reports::Report;
use crate::run::verdict::exit_code;

pub(super) fn run(args: &CheckCrashesArgs, asked: &Asked) -> Result<u8> {
    check_signatures(&args.which.signature, &asked.signatures)?;
    let filter = Filter {
        since: None,
        processes: &args.which.process,
        signatures: &args.which.signature,
        fingerprints: &args.which.fingerprint,
        table: &asked.signatures,
    };
    let judge = Judge::new(asked.baseline.as_deref(), asked.now, false);
    let (mut shown, mut failing) = (0, 0);
    watch(&asked.folders, &mut |path: &Path, report: &Report| {
        let Some(found) = filter.admit(report.clone(), None) else {
            return Ok(ControlFlow::Continue(()));
        };
        shown += 1;
        let listed = judge.look_up(&found.report, found.diagnosis.as_ref());
        failing += usize::from(!listed.as_ref().is_some_and(Listed::is_known));
        let view = CrashView::of(path, &found.report, found.diagnosis).with_baseline(listed);
        let now = chrono::Utc::now();
        if args.json {
            let mut answer = asked.answer(Kind::Crash);
            answer.checked = now;
            answer.count = Some(1);
            answer.crashes = Some(vec![view]);
            Ok(terminal::print_on(&answer.json_line()?)?)
        } else {
            let apart = if shown > 1 { "\n" } else { "" };
            Ok(terminal::print_on(&format!(
                "{apart}{}",
                view.text(now, "")
            ))?)
        }
    })?;
    Ok(if args.fail && failing > 0 {
        exit_code::CRASH_GATE
    } else {
        exit_code::OK
    })
}
