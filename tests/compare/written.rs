//! What a comparison writes besides its summary.

use super::common::Sandbox;
use super::compare;

#[test]
fn page_plots_and_cases_are_written() {
    let sandbox = Sandbox::new();
    let [page, plots, junit] = ["page.html", "plots", "junit.xml"].map(|name| sandbox.path(name));
    let text = |path: &std::path::Path| path.to_str().expect("a path in UTF-8").to_owned();
    let [page_option, plots_option, junit_option] = [&page, &plots, &junit].map(|path| text(path));
    let options = [
        "--arm",
        "none",
        "--arm",
        "bad=fix:none,env:CODE=3",
        "-n",
        "3",
        "--html",
        &page_option,
        "--svg",
        &plots_option,
        "--junit",
        &junit_option,
    ];
    let compared = compare(&sandbox, &options, &["sh", "-c", "exit ${CODE:-0}"]);
    compared.assert_code(1);
    let page = std::fs::read_to_string(page).expect("written");
    assert!(page.contains("none, bad compared") && page.contains("3 failure without a crash"));
    assert!(!page.contains("<script"));
    for name in ["rates.svg", "survival.svg", "bound.svg"] {
        let svg = std::fs::read_to_string(plots.join(name)).expect("written");
        assert!(
            svg.starts_with("<?xml") && svg.trim_end().ends_with("</svg>"),
            "{name}"
        );
    }
    let junit = std::fs::read_to_string(junit).expect("written");
    for part in [
        "tests=\"2\"",
        "failures=\"1\"",
        "name=\"bad\"",
        "3 failed without a crash",
    ] {
        assert!(junit.contains(part), "{part} is not in {junit}");
    }
}

#[test]
fn a_page_that_cannot_be_written_costs_no_run() {
    let sandbox = Sandbox::new();
    for option in ["--html", "--svg"] {
        let options = ["--arm", "none", "--arm", "v3", option, "/dev/null/below"];
        compare(&sandbox, &options, &["touch", "ran"])
            .assert_code(125)
            .assert_stderr(option);
    }
    assert!(!sandbox.path("ran").exists());
}
