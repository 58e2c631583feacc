//! Which tails are rebuilt, and into what.

use agxrun::patch::{Kind, patch};

use crate::images::{Shape, Tools};

#[test]
fn the_published_tail_is_rebuilt() {
    let Some(tools) = Tools::find() else { return };
    for authenticated in [false, true] {
        let driver = tools.driver(Shape { authenticated, ..Shape::default() });
        let patched = patch(&driver, Kind::Rebuilt).unwrap_or_else(|error| panic!("{error}"));
        for line in &patched.parts[0].methods[0].after { println!("{:#x} {} {:?}", line.instruction.address, line.instruction.text(), line.calls); }
    }
    let driver = tools.driver(Shape { authenticated: true, published: true, ..Shape::default() });
    let patched = patch(&driver, Kind::Published).unwrap_or_else(|error| panic!("{error}"));
    for line in &patched.parts[0].methods[0].after { println!("{:#x} {} {:?}", line.instruction.address, line.instruction.text(), line.calls); }
}
