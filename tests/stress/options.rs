//! Contradictions are named, and options reach the runs.

use crate::series::Series;

#[test]
fn what_cannot_be_had_together_is_wrong_usage() {
    for (options, words) in [
        (
            &["--max-rate", "1%", "--until-crash"][..],
            "cannot be used with",
        ),
        (&["-j", "2", "--scope", "any"], "contradict each other"),
        (
            &["-n", "20", "--max-rate", "1%"],
            "cannot show a rate below 1.0 % with 95 % confidence",
        ),
        (&["--max-rate", "5"], "such as 1% or 0.01"),
        (&["--max-rate", "0"], "such as 1% or 0.01"),
        (&["--max-rate", "1e-9"], "takes 3101092788 runs and more"),
        (
            &["--max-rate", "1e-9"],
            "at a second a run that is 861414 h",
        ),
        (&["--confidence", "100%"], "such as 1% or 0.01"),
        (&["-n", "0"], "0 is not in"),
        (&["-n", "-1"], "invalid digit"),
        (&["-j", "0"], "0 is not in"),
        (&["--duration", "0"], "more than 0"),
        (&["--retries", "2"], "every run counts"),
        (&["--no-fix", "--require-fix"], "cannot be used with"),
        (&["--resume", "other"], "cannot be used with"),
    ] {
        let series = Series::new();
        let run = series.stress(options, &["true"]);
        run.assert_code(2);
        assert!(
            run.stderr().contains(words),
            "{options:?}: {}",
            run.stderr()
        );
        assert!(series.lines("archive/runs.jsonl").is_empty());
    }
}

#[test]
fn a_command_is_needed_unless_a_series_is_resumed() {
    let series = Series::new();
    let output = series.sandbox.agxrun().arg("stress").output();
    let output = output.expect("agxrun starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("<CMD>"), "{told}");
    let run = series.resume(&[]);
    run.assert_code(125).assert_stderr("No such file");
}

#[test]
fn options_of_a_run_reach_every_run() {
    let series = Series::new();
    let options = [
        "-n",
        "1",
        "--env",
        "A=one two",
        "--env=B=",
        "--throttle",
        "2",
    ];
    let script = "echo \"[$A][${B-unset}]\"; exit 5";
    let run = series.stress(&options, &["sh", "-c", script]);
    run.assert_code(1);
    let outputs = run.json["outputs"].as_str().expect("a folder");
    let out = std::fs::read_to_string(format!("{outputs}/000001.out")).expect("kept");
    assert_eq!(out, "[one two][]\n");
    assert_eq!(run.json["runs"][0]["throttle"], 2);
}

#[test]
fn a_target_inherits_none_of_our_descriptors() {
    let series = Series::new();
    let script = ["sh", "-c", "ls /proc/self/fd >descriptors"];
    let run = series.stress(&["-n", "1", "--no-fix"], &script);
    run.assert_code(0);
    let found = series.lines("descriptors");
    // Those that whoever runs the tests hands on to everything.
    let mut alone = std::process::Command::new(script[0]);
    alone.args(&script[1..]).current_dir(series.path(""));
    let alone = alone.stdin(std::process::Stdio::null()).output();
    assert!(alone.expect("sh starts").status.success());
    assert_eq!(found, series.lines("descriptors"));
}

#[test]
fn quiet_says_nothing_of_what_is_well_and_runs_read_nothing() {
    let series = Series::new();
    let run = series.stress(
        &["-n", "2", "-q", "--no-fix"],
        &["sh", "-c", "read line; [ $? = 1 ]"],
    );
    run.assert_code(0);
    let told: Vec<String> = run.stderr().lines().map(str::to_owned).collect();
    let other = told
        .iter()
        .filter(|line| !line.contains("had other work") && !line.contains("ok"));
    assert_eq!(other.count(), 0, "{told:?}");
}

#[test]
fn ci_systems_are_told_of_every_run() {
    let series = Series::new();
    let junit = series.path("junit.xml");
    let script = "echo x >>begun; [ $(wc -l <begun) -ne 2 ] || exit 3";
    let mut command = series.command(
        &[
            "-n",
            "3",
            "--no-fix",
            "--github",
            "--junit",
            junit.to_str().expect("UTF-8"),
        ],
        &["sh", "-c", script],
    );
    let summary = series.path("summary.md");
    let output = command.env("GITHUB_STEP_SUMMARY", &summary).output();
    assert_eq!(output.expect("agxrun starts").status.code(), Some(1));
    let xml = std::fs::read_to_string(junit).expect("written");
    assert_eq!(xml.matches("<testcase ").count(), 3, "{xml}");
    assert!(
        xml.contains("tests=\"3\"") && xml.contains("failures=\"1\""),
        "{xml}"
    );
    let markdown = std::fs::read_to_string(summary).expect("written");
    assert!(
        markdown.contains("**0 of 3\\: below 63.2 % with 95 % confidence**"),
        "{markdown}"
    );
}

#[test]
fn page_and_plots_are_written_and_a_wrong_place_costs_no_run() {
    let series = Series::new();
    let [page, plots] = ["page.html", "plots"].map(|name| series.path(name));
    let [page_option, plots_option] = [&page, &plots].map(|it| it.to_str().expect("UTF-8"));
    let script = "echo x >>begun; [ $(wc -l <begun) -ne 2 ] || exit 3";
    let options = ["-n", "4", "--html", page_option, "--svg", plots_option];
    let run = series.stress(&options, &["sh", "-c", script]);
    run.assert_code(1);
    let page = std::fs::read_to_string(page).expect("written");
    for part in [
        "0 of 4: below 52.8 % with 95 % confidence",
        "failure without a crash",
        "in 4 runs",
    ] {
        assert!(page.contains(part), "{part} is not in the page");
    }
    assert!(!page.contains("<script"));
    for name in ["rates.svg", "survival.svg", "bound.svg"] {
        let svg = std::fs::read_to_string(plots.join(name)).expect("written");
        assert!(
            svg.starts_with("<?xml") && svg.trim_end().ends_with("</svg>"),
            "{name}"
        );
    }
    for option in ["--html", "--svg"] {
        let series = Series::new();
        let run = series.stress(&[option, "/dev/null/below"], &["touch", "ran"]);
        run.assert_code(125).assert_stderr(option);
        assert!(!series.path("ran").exists());
    }
}
