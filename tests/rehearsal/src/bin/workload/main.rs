//! The rehearsal workload: an application that is correct by Metal's contract, or breaks one rule of it on purpose.
//!
//! Exit codes: 0 done; 2 usage, or no driver; 3 work was lost. A fault of the driver ends it by a signal.

mod application;
mod arguments;
mod driver;
mod misuse;

use arguments::{Arguments, Fault};
use driver::Driver;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(why) => return complain(&why, 2),
    };
    let path = arguments
        .driver
        .clone()
        .unwrap_or_else(driver::default_path);
    match Driver::load(&path) {
        Ok(driver) => run(&driver, &arguments),
        Err(why) => complain(&why, 2),
    }
}

fn run(driver: &Driver, arguments: &Arguments) -> ExitCode {
    let outcome = match arguments.fault {
        Fault::Driver(name) => application::run(driver, arguments, name),
        Fault::Misuse(misuse) => misuse::run(driver, arguments, misuse),
    };
    let done = match outcome {
        Ok(done) => done,
        Err(why) => return complain(&why, 2),
    };
    if !arguments.quiet {
        println!(
            "iterations={} dispatches asked={} executed={}",
            done.iterations, done.asked, done.executed
        );
    }
    if done.lost_work() {
        return complain(
            &format!(
                "work was lost: {} dispatches asked, {} executed",
                done.asked, done.executed
            ),
            3,
        );
    }
    ExitCode::SUCCESS
}

fn complain(why: &str, code: u8) -> ExitCode {
    eprintln!("agx-rehearsal-workload: {why}");
    ExitCode::from(code)
}
