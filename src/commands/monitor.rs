//! `agxrun monitor`: the background archiver.

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use chrono::{DateTime, Local, SecondsFormat, Utc};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::defaults;
use crate::cli::{
    MonitorAction, MonitorRunArgs, MonitorStartArgs, MonitorStatusArgs, MonitorStopArgs, SourceArgs,
};
use crate::inject::platform::state_folder;
use crate::monitor::Settings;
use crate::monitor::instance::{self, Found, Holder};
use crate::monitor::launchd::{Agent, LAUNCHCTL};
use crate::monitor::log::Log;
use crate::monitor::serve::{End, Listener, serve};
use crate::monitor::start::{Said, start as start_in_background};
use crate::monitor::status::Status;
use crate::output::monitor::Answer;
use crate::output::terminal;
use crate::reports::ReportFolder;
use crate::reports::watch::FolderWatch;
use crate::run::background;
use crate::run::interrupts::Interrupts;
use crate::run::verdict::exit_code;

pub fn run(action: MonitorAction) -> Result<u8> {
    match action {
        MonitorAction::Start(args) => start(&args),
        MonitorAction::Stop(args) => stop(&args),
        MonitorAction::Status(args) => status(&args),
        MonitorAction::Run(args) => serve_here(&args),
    }
}

fn settings(sources: &SourceArgs) -> Result<Settings> {
    let archive = defaults::archive(sources.archive.clone())?;
    let state_folder = state_folder(defaults::variable)
        .context("no HOME to keep the monitor's state in (hint: set HOME or XDG_STATE_HOME)")?;
    Ok(Settings {
        folders: defaults::folders(sources)?.folders,
        state: Settings::state_of(&archive, &state_folder),
        archive,
    })
}

fn start(args: &MonitorStartArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    if args.launchd && !cfg!(target_os = "macos") {
        return Ok(no_launchd());
    }
    let mut settings = settings(&args.sources)?;
    std::fs::create_dir_all(&settings.archive).with_context(|| {
        format!(
            "cannot make the archive `{}` (hint: choose another one with --archive)",
            settings.archive.display()
        )
    })?;
    // The folder is there now: its real path names it from here on.
    settings.archive = std::fs::canonicalize(&settings.archive)?;
    if let Found::Running(holder) = instance::look(&settings.archive)? {
        terminal::print(&already(holder.as_ref()))?;
        return Ok(exit_code::OK);
    }
    let agxrun = std::env::current_exe().context("cannot tell which file agxrun is")?;
    if args.launchd {
        return start_agent(&agxrun, &settings);
    }
    let said = start_in_background(&agxrun, &settings).context("cannot start the monitor")?;
    match said {
        Some(Said::Ready(holder)) => {
            terminal::print(&format!(
                "the monitor runs, pid {}; copies go to `{}`",
                holder.pid,
                terminal::visible(&settings.archive.display().to_string())
            ))?;
            Ok(exit_code::OK)
        }
        Some(Said::Held(holder)) => {
            terminal::print(&already(holder.as_ref()))?;
            Ok(exit_code::OK)
        }
        None => {
            anyhow::bail!("the monitor ended before it had begun; what it said stands above")
        }
    }
}

fn already(holder: Option<&Holder>) -> String {
    holder.map_or_else(
        || "a monitor runs already".to_owned(),
        |holder| {
            format!(
                "a monitor runs already, pid {}, since {}",
                holder.pid,
                local(holder.started)
            )
        },
    )
}

/// How long launchd may take to start an agent.
const AGENT_START: std::time::Duration = std::time::Duration::from_secs(20);

fn start_agent(agxrun: &Path, settings: &Settings) -> Result<u8> {
    let agent = agent(&settings.archive)?;
    // Before it is started, so that its lock is not missed.
    let mut watch = FolderWatch::new(&[ReportFolder::new(&settings.archive)]);
    agent.install(Path::new(LAUNCHCTL), agxrun, settings)?;
    let begun = std::time::Instant::now();
    loop {
        if let Found::Running(holder) = instance::look(&settings.archive)? {
            let pid = holder.map_or(String::new(), |holder| format!(", pid {}", holder.pid));
            terminal::print(&format!(
                "the monitor runs{pid} as launchd agent `{}`",
                agent.label
            ))?;
            return Ok(exit_code::OK);
        }
        let left = AGENT_START.saturating_sub(begun.elapsed());
        if left.is_zero() {
            anyhow::bail!(
                "launchd has taken the agent `{}` and not started it (hint: launchctl print {}/{})",
                agent.label,
                agent.domain,
                agent.label
            );
        }
        watch.wait_or(Some(left), None);
    }
}

fn agent(archive: &Path) -> Result<Agent> {
    let home: PathBuf = defaults::variable("HOME")
        .context("no HOME with a folder of launch agents (hint: set HOME)")?
        .into();
    Ok(Agent::of(archive, &home, nix::unistd::getuid().as_raw()))
}

fn no_launchd() -> u8 {
    terminal::error(&anyhow::anyhow!(
        "--launchd is for macOS, where launchd is (hint: leave it out for a background process)"
    ));
    exit_code::USAGE
}

fn stop(args: &MonitorStopArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    if args.launchd && !cfg!(target_os = "macos") {
        return Ok(no_launchd());
    }
    let archive = defaults::archive(args.sources.archive.clone())?;
    let archive = std::fs::canonicalize(&archive).unwrap_or(archive);
    let agent = agent(&archive)?;
    let found = instance::look(&archive)?;
    // launchd ends it by itself; a plain TERM comes to the same.
    let removed = args.launchd && agent.remove(Path::new(LAUNCHCTL))?;
    match &found {
        Found::Running(Some(holder)) => end(holder)?,
        Found::Running(None) => anyhow::bail!(
            "a monitor has the archive `{}` and its record cannot be read, so its pid is not known \
             (hint: end the process `agxrun monitor run`)",
            archive.display()
        ),
        Found::Stale(_) | Found::Nobody => {
            terminal::print(if removed {
                "the agent is removed; no monitor was running"
            } else {
                "no monitor is running"
            })?;
            return Ok(exit_code::OK);
        }
    }
    if !instance::wait_for_end(&archive, args.timeout)? {
        anyhow::bail!(
            "the monitor has not ended within {:?} (hint: --timeout, or `agxrun monitor status` for \
             what it is doing)",
            args.timeout
        );
    }
    terminal::print("the monitor has ended")?;
    if !removed && agent.plist.exists() {
        terminal::note(&format!(
            "the launchd agent `{}` starts it again at the next log-in (hint: `agxrun monitor stop \
             --launchd` removes it)",
            agent.label
        ));
    }
    Ok(exit_code::OK)
}

/// Asks a monitor to end. It held the lock a moment ago, so the pid is its own.
fn end(holder: &Holder) -> Result<()> {
    let pid = i32::try_from(holder.pid).context("the monitor's record holds no pid")?;
    match kill(Pid::from_raw(pid), Signal::SIGTERM) {
        // Gone meanwhile: the wait will see that.
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot signal the monitor, pid {pid}")),
    }
}

fn status(args: &MonitorStatusArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let settings = settings(&args.sources)?;
    let found = instance::look(&settings.archive).with_context(|| {
        format!(
            "cannot look at the archive `{}`",
            settings.archive.display()
        )
    })?;
    let state = match &found {
        Found::Running(Some(holder)) | Found::Stale(holder) => &holder.state,
        Found::Running(None) | Found::Nobody => &settings.state,
    };
    let said = match Status::read(state) {
        Ok(said) => said,
        Err(error) => {
            terminal::warning(&format!(
                "cannot read what the monitor says of itself in `{}`: {error}",
                state.display()
            ));
            None
        }
    };
    let answer = Answer::of(&settings.archive, &found, said);
    terminal::print(&if args.json {
        serde_json::to_string_pretty(&answer)?
    } else {
        answer.text(&local)
    })?;
    Ok(if answer.running {
        exit_code::OK
    } else {
        exit_code::NOT_RUNNING
    })
}

fn local(time: DateTime<Utc>) -> String {
    let local: DateTime<Local> = time.into();
    local.to_rfc3339_opts(SecondsFormat::Secs, false)
}

fn serve_here(args: &MonitorRunArgs) -> Result<u8> {
    if args.detached {
        // Before anything else is opened: what is open now was inherited.
        background::begin().context("cannot leave the session")?;
    }
    terminal::set_color(args.color.color);
    let settings = settings(&args.sources)?;
    let interrupts = Interrupts::catch().context("cannot catch signals")?;
    let mut listener: Box<dyn Listener> = if args.detached {
        Box::new(Parent)
    } else {
        Box::new(Terminal)
    };
    match serve(&settings, &mut *listener, interrupts.as_fd())? {
        End::Asked => Ok(exit_code::OK),
        End::Held(holder) if args.detached => {
            Said::Held(holder).print()?;
            Ok(exit_code::OK)
        }
        End::Held(holder) => Err(anyhow::anyhow!(
            "{} (hint: `agxrun monitor stop` ends it)",
            already(holder.as_ref())
        )),
        End::Superseded => Err(anyhow::anyhow!(
            "the archive was removed, and another monitor has taken the one in its place"
        )),
    }
}

/// Who started a monitor in the background.
struct Parent;

impl Listener for Parent {
    fn ready(&mut self, holder: &Holder, log: &Log) -> io::Result<()> {
        Said::Ready(holder.clone()).print()?;
        background::let_go(log.file())
    }

    fn line(&mut self, _: &str) {}
}

/// Whoever watches a monitor in the foreground.
struct Terminal;

impl Listener for Terminal {
    fn ready(&mut self, _: &Holder, _: &Log) -> io::Result<()> {
        Ok(())
    }

    fn line(&mut self, text: &str) {
        terminal::note(text);
    }
}
