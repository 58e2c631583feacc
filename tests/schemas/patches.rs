//! What `patch` prints: of what is refused, made, and looked at.

use std::fs;

use super::common::Sandbox;
use super::images::{Shape, Tools};
use super::printed;
use super::schema::Printed;

pub fn answers() -> Vec<Printed> {
    let sandbox = Sandbox::new();
    let ask = |what: &str, options: &[&str]| {
        let mut agxrun = sandbox.agxrun();
        agxrun.args(["patch", "--json"]).args(options);
        printed(what, &agxrun.output().expect("agxrun starts"))
    };
    fs::write(sandbox.path("script"), "#!/bin/sh\n").expect("written");
    let script = ["--input", "script", "--output", "copy"];
    let mut all = vec![
        ask("no driver", &script),
        ask("no copy", &["--verify", "--output", "script"]),
    ];
    let Some(tools) = Tools::find() else {
        return all;
    };
    let published = tools.driver(Shape {
        authenticated: true,
        published: true,
        ..Shape::default()
    });
    let blit = tools.driver(Shape {
        with: &["BLIT_SOUND"],
        ..Shape::default()
    });
    let universal = tools.universal(&[&tools.intel(), &blit]);
    fs::write(sandbox.path("published"), published).expect("written");
    fs::write(sandbox.path("driver"), universal).expect("written");
    all.extend([
        ask("dry", &["--input", "driver", "--dry-run"]),
        ask("made", &["--input", "driver", "--output", "copy"]),
        ask(
            "published",
            &["--input", "published", "--output", "patched", "--published"],
        ),
        ask("looked at", &["--verify", "--output", "copy"]),
        ask(
            "against",
            &["--verify", "--output", "copy", "--input", "driver"],
        ),
        ask(
            "of another",
            &["--verify", "--output", "copy", "--input", "published"],
        ),
        ask(
            "of none",
            &["--verify", "--output", "copy", "--input", "patched"],
        ),
        ask("original", &["--verify", "--output", "driver"]),
    ]);
    all
}
