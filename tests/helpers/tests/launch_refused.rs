//! What the kernel refuses although the file is a program.

use agxrun::run::launch::{Launch, LaunchError};
use agxrun::run::supervise::{Limits, supervise};

fn launch() -> Launch {
    Launch {
        program: "/bin/sh".into(),
        arg0: None,
        args: Vec::new(),
        env: Vec::new(),
        cwd: None,
        not_of_the_tree: Vec::new(),
    }
}

const LIMITS: Limits = Limits {
    timeout: None,
    grace: std::time::Duration::ZERO,
};

#[test]
fn too_long_arguments_are_our_failure() {
    // One string may have 128 KiB: execve(2), MAX_ARG_STRLEN.
    let mut launch = launch();
    launch.args.push("x".repeat(256 * 1024).into());
    let error = supervise(&launch, LIMITS, &mut ()).expect_err("it is too long");
    assert_eq!(error.exit_code(), 125);
    assert!(error.to_string().contains("too long"), "{error}");
}

#[test]
fn a_missing_working_directory_is_named() {
    let mut launch = launch();
    launch.cwd = Some("/missing/folder".into());
    let error = supervise(&launch, LIMITS, &mut ()).expect_err("it is missing");
    assert!(matches!(error, LaunchError::Failed { .. }));
    assert!(error.to_string().contains("/missing/folder"), "{error}");
}

#[test]
fn nul_in_an_argument_is_refused() {
    let mut launch = launch();
    launch.args.push("a\0b".into());
    let error = supervise(&launch, LIMITS, &mut ()).expect_err("it cannot be passed");
    assert_eq!(error.exit_code(), 125);
}
