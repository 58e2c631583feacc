//! `--gpu-event PID REASON`: the report of a GPU event, which names a living process and reads nothing of it but its name.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::time::{ClockId, clock_gettime};

use crate::compose::{self, NO_UUID, Os, REPORTER};
use crate::report::{self, GpuAnalysis, GpuEventBody, Header};
use crate::{clock, file, procfs};

/// The option that asks for such a report.
pub const OPTION: &str = "--gpu-event";

const BUG_TYPE: &str = "284";
/// `process_name` is cut to this many characters in public reports.
const PROCESS_NAME: usize = 16;
/// The driver's number for this kind of fault. Its meaning is not published, and nothing may depend on it.
const SIGNATURE: i64 = 0;

/// Writes `gpuEvent-<process>-<time>.ips`, hidden first, `delay` after the start.
pub fn run(
    folder: &Path,
    mut arguments: impl Iterator<Item = String>,
    delay: Duration,
) -> Result<()> {
    let usage = "usage: --gpu-event PID REASON";
    let pid: i32 = arguments
        .next()
        .context(usage)?
        .parse()
        .context("the process id of --gpu-event")?;
    let reason = arguments.next().context(usage)?;
    let since_boot = clock_gettime(ClockId::CLOCK_BOOTTIME).context("reading the clock")?;
    let since_boot = u64::try_from(Duration::from(since_boot).as_nanos()).unwrap_or(u64::MAX);
    let now = chrono::Local::now();
    let process = procfs::name_of(pid).with_context(|| format!("process {pid} is gone"))?;
    let mut hidden = file::Hidden::create(folder, &format!("gpuEvent-{process}"), &now)?;
    let os = Os::read();
    let os_version = format!("{} ({})", os.train, os.build);
    let incident = compose::incident()?;
    let header = Header {
        app_name: &process,
        timestamp: clock::coarse(&now),
        app_version: "",
        slice_uuid: NO_UUID.to_owned(),
        build_version: "",
        platform: 0,
        share_with_app_devs: 0,
        is_first_party: 0,
        bug_type: BUG_TYPE,
        os_version: os_version.clone(),
        roots_installed: 0,
        incident_id: &incident,
        name: &process,
    };
    let body = GpuEventBody {
        bug_type: BUG_TYPE,
        timestamp: clock::coarse(&now),
        os_version,
        process_name: process.chars().take(PROCESS_NAME).collect(),
        analysis: GpuAnalysis {
            signature: SIGNATURE,
            restart_reason_desc: &reason,
        },
        reporter: REPORTER,
    };
    let text = report::to_text(&header, &body).context("writing the report as JSON")?;
    clock::wait_until(since_boot, delay);
    hidden
        .file
        .write_all(text.as_bytes())
        .with_context(|| hidden.naming("writing"))?;
    hidden.publish()
}
