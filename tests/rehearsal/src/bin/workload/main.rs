//! The rehearsal workload: an application that is correct by Metal's contract, or breaks one rule of it on purpose.
//!
//! Exit codes: 2 usage, or no driver; otherwise those of [`outcome::Outcome`]. A fault of the driver ends it by a signal.

mod application;
mod arguments;
mod asleep;
mod driver;
mod misuse;
mod mix;
mod outcome;
mod scenario;
mod watchdog;

use application::Done;
use arguments::{Arguments, Fault, Summary};
use driver::Driver;
use outcome::Outcome;
use std::process::ExitCode;

const USAGE_ERROR: u8 = 2;

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(why) => return complain(&why, USAGE_ERROR),
    };
    if arguments.list {
        let json = arguments.summary == Summary::Json;
        let list = if json {
            scenario::json() + "\n"
        } else {
            scenario::text()
        };
        print!("{list}");
        return ExitCode::SUCCESS;
    }
    let done = Driver::load(&arguments.driver_path()).and_then(|driver| {
        let _watch = watchdog::watch(&arguments)?;
        run(&driver, &arguments)
    });
    match done {
        Ok(done) => {
            let outcome = Outcome::of(&done, arguments.scenario.is_some());
            tell(&arguments, outcome, &done)
        }
        Err(why) => complain(&why, USAGE_ERROR),
    }
}

fn run(driver: &Driver, arguments: &Arguments) -> Result<Done, String> {
    if let Some(scenario) = arguments.scenario {
        return scenario.run(driver, arguments);
    }
    match arguments.fault {
        Fault::Driver(name) => application::run(driver, arguments, name),
        Fault::Misuse(misuse) => misuse::run(driver, arguments, misuse),
    }
}

/// Prints the summary and what went wrong; the exit code.
fn tell(arguments: &Arguments, outcome: Outcome, done: &Done) -> ExitCode {
    match arguments.summary {
        Summary::Nothing => {}
        Summary::Json => println!("{}", outcome::json(arguments, outcome, done)),
        Summary::Line => println!(
            "iterations={} dispatches asked={} executed={}",
            done.iterations, done.asked, done.executed
        ),
    }
    match outcome.complaint(done) {
        None => ExitCode::SUCCESS,
        Some(why) => complain(&why, outcome.code()),
    }
}

fn complain(why: &str, code: u8) -> ExitCode {
    eprintln!("agx-rehearsal-workload: {why}");
    ExitCode::from(code)
}
