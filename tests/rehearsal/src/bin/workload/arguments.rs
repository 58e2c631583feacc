//! The command line.

use crate::application::Style;
use crate::driver;
use crate::misuse::Misuse;
use crate::scenario::Scenario;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What `--help` prints.
pub const USAGE: &str = "\
Drives the rehearsal driver from several threads, as a correct application would.

Usage: agx-rehearsal-workload [OPTIONS]

  --threads N      threads, each with its own queue, command buffers and encoders [8]
  --iterations N   command buffers of each thread [1500, or as many as the scenario takes]
  --seconds S      go on for S seconds instead
  --seed N         seed of the driver's windows [1]
  --fault NAME     of the driver: impl, setBuffer, dispatch, prepare, spill, bind, any, uaf, allocator,
                   submission, unowned, none [impl];
                   of the application: coalesce, commit, double-commit, event, wait-event, handler,
                   scheduled-handler, encode-after-commit, unended;
                   of the GPU: page-fault
  --scenario NAME  instead: a published failure, with its fault and its application (see --list-scenarios)
  --list-scenarios print what scenarios there are; with --json their names, what each models and the published
                   versions of the fix that it breaks by their author's word
  --watchdog S     a run that takes longer hangs [with --scenario 20, or 4 where it hangs or is over at once; else none]
  --json           the summary as one line of JSON
  --app-lock       hold one lock around all that one command buffer needs, from its making to its commit
  --mps            use MPSCommandBuffer, which forwards
  --mix            encoders of every kind in each command buffer, besides two of compute and one of blit
  --quiet          print no summary
  --driver PATH    libagx_rehearsal [AGX_REHEARSAL_DRIVER, else beside this program]
  --help           this text

Exit codes: 0 ok, 2 usage or no driver, 3 dropped: work was lost or done otherwise, 4 leak: encoders are left (scenarios only),
5 GPU error, 6 hang (watchdog only). A crash is a signal: SIGSEGV, or SIGABRT after an assertion.
";

/// Which rule is broken, and by whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The driver's own, by its name; the application is correct.
    Driver(&'static str),
    /// The application's; the driver is correct.
    Misuse(Misuse),
}

/// What is printed in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Summary {
    /// A line for people.
    Line,
    /// A line of JSON.
    Json,
    /// Nothing.
    Nothing,
}

/// The parsed command line.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option")]
pub struct Arguments {
    /// Number of threads, at least 1.
    pub threads: usize,
    /// Command buffers of each thread, where given.
    pub iterations: Option<u64>,
    /// Instead of `iterations`: how long.
    pub duration: Option<Duration>,
    /// Seed of the driver's windows.
    pub seed: u64,
    /// The fault.
    pub fault: Fault,
    /// Whether the application serialises itself.
    pub app_lock: bool,
    /// Whether command buffers are `MPSCommandBuffer`s.
    pub mps: bool,
    /// Whether encoders of every kind come besides the usual ones.
    pub mix: bool,
    /// How the run is summed up.
    pub summary: Summary,
    /// The scenario, where one is chosen; it decides on `fault` and `style`.
    pub scenario: Option<&'static Scenario>,
    /// In what the application differs from the usual one.
    pub style: Style,
    /// How long a run may take.
    pub watchdog: Option<Duration>,
    /// The driver's path, where one is given.
    pub driver: Option<PathBuf>,
    /// Nothing runs: the scenarios are listed.
    pub list: bool,
}

impl Arguments {
    /// Where the driver is.
    pub fn driver_path(&self) -> PathBuf {
        self.driver.clone().unwrap_or_else(driver::default_path)
    }
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            threads: 8,
            iterations: None,
            duration: None,
            seed: 1,
            fault: Fault::Driver("impl"),
            app_lock: false,
            mps: false,
            mix: false,
            summary: Summary::Line,
            scenario: None,
            style: Style::USUAL,
            watchdog: None,
            driver: None,
            list: false,
        }
    }
}

const DRIVER_FAULTS: [&str; 13] = [
    "none",
    "any",
    "impl",
    "setBuffer",
    "dispatch",
    "prepare",
    "spill",
    "bind",
    "uaf",
    "page-fault",
    "allocator",
    "submission",
    "unowned",
];

fn fault(name: &str) -> Option<Fault> {
    let driver = DRIVER_FAULTS
        .into_iter()
        .find(|known| *known == name)
        .map(Fault::Driver);
    driver.or_else(|| Misuse::from_name(name).map(Fault::Misuse))
}

/// Parses the arguments after the program's name. `None` when help was asked for.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Arguments>, String> {
    let mut parsed = Arguments::default();
    let mut rest = arguments.into_iter();
    while let Some(option) = rest.next() {
        let name = option
            .to_str()
            .ok_or_else(|| format!("unknown option {} (see --help)", option.display()))?;
        match name {
            "--help" | "-h" => return Ok(None),
            "--app-lock" => parsed.app_lock = true,
            "--mps" => parsed.mps = true,
            "--mix" => parsed.mix = true,
            "--quiet" => parsed.summary = Summary::Nothing,
            "--json" => parsed.summary = Summary::Json,
            "--list-scenarios" => parsed.list = true,
            "--threads" | "--iterations" | "--seconds" | "--seed" | "--fault" | "--scenario"
            | "--watchdog" | "--driver" => {
                let value = rest.next().ok_or_else(|| format!("{name} needs a value"))?;
                set(&mut parsed, name, value)?;
            }
            _ => return Err(format!("unknown option {name} (see --help)")),
        }
    }
    if let Some(scenario) = parsed.scenario {
        scenario.apply(&mut parsed);
    }
    parsed.style.mix |= parsed.mix;
    Ok(Some(parsed))
}

fn set(parsed: &mut Arguments, name: &str, value: OsString) -> Result<(), String> {
    if name == "--driver" {
        parsed.driver = Some(PathBuf::from(value));
        return Ok(());
    }
    let text = value
        .to_str()
        .ok_or_else(|| format!("{name}: {} is not text", value.display()))?;
    let invalid = |what: &str| format!("{name}: {text:?} is not {what}");
    match name {
        "--threads" => {
            parsed.threads = text
                .parse()
                .ok()
                .filter(|n| (1..=1024).contains(n))
                .ok_or_else(|| invalid("a number from 1 to 1024"))?;
        }
        "--iterations" => {
            let number = text.parse().ok().filter(|n| *n > 0);
            parsed.iterations = Some(number.ok_or_else(|| invalid("a number above 0"))?);
        }
        "--seconds" | "--watchdog" => {
            let seconds = text
                .parse()
                .ok()
                .and_then(|s| Duration::try_from_secs_f64(s).ok());
            let seconds = seconds.ok_or_else(|| invalid("a number of seconds"))?;
            if name == "--seconds" {
                parsed.duration = Some(seconds);
            } else {
                parsed.watchdog = Some(seconds);
            }
        }
        "--scenario" => {
            let scenario = Scenario::from_name(text);
            parsed.scenario =
                Some(scenario.ok_or_else(|| invalid("a known scenario (see --list-scenarios)"))?);
        }
        "--seed" => parsed.seed = text.parse().map_err(|_| invalid("a number"))?,
        _ => parsed.fault = fault(text).ok_or_else(|| invalid("a known fault (see --help)"))?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(line: &str) -> Result<Option<Arguments>, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn every_option_reaches_its_field() {
        let line = "--threads 3 --iterations 5 --seconds 0.5 --seed 9 --fault commit --app-lock --mps --mix --quiet --json --watchdog 2 --driver /d.so";
        let expected = Arguments {
            threads: 3,
            iterations: Some(5),
            duration: Some(Duration::from_millis(500)),
            seed: 9,
            fault: Fault::Misuse(Misuse::CommitOpenEncoder),
            app_lock: true,
            mps: true,
            mix: true,
            style: Style {
                mix: true,
                ..Style::USUAL
            },
            summary: Summary::Json,
            watchdog: Some(Duration::from_secs(2)),
            driver: Some(PathBuf::from("/d.so")),
            ..Arguments::default()
        };
        assert_eq!(parse_text(line), Ok(Some(expected)));
        assert_eq!(parse_text(""), Ok(Some(Arguments::default())));
        assert_eq!(parse_text("--threads 3 --help"), Ok(None));
        let listed = parse_text("--list-scenarios").map(|it| it.map(|it| it.list));
        assert_eq!(listed, Ok(Some(true)));
    }

    #[test]
    fn errors_name_the_option_and_the_value() {
        for (line, part) in [
            ("--threads 0", "--threads: \"0\""),
            ("--iterations x", "--iterations: \"x\""),
            ("--seconds -1", "--seconds: \"-1\""),
            ("--fault nil", "--fault: \"nil\""),
            ("--scenario nil", "--scenario: \"nil\""),
            ("--watchdog nil", "--watchdog: \"nil\""),
            ("--seed", "--seed needs a value"),
            ("extra", "unknown option extra"),
        ] {
            let error = parse_text(line).expect_err(line);
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
