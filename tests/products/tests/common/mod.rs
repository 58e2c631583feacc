//! Where the products and the lists are.

use std::path::{Path, PathBuf};

use agx_products::{ImportList, Product};

/// A folder below `target/macos/`.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code)] // no test needs each of them
pub enum Folder {
    Arm64,
    X86_64,
    Universal,
}

impl Folder {
    fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
            Self::Universal => "universal",
        }
    }

    /// The bytes of a product; `None` where it was not built and need not have been.
    pub fn product(self, file: &str) -> Option<Vec<u8>> {
        let path = products().join(self.name()).join(file);
        match std::fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !self.is_required() => {
                println!(
                    "passed over: no {} (hint: scripts/macos/build.sh)",
                    path.display()
                );
                None
            }
            Err(error) => panic!("{}: {error} (hint: scripts/macos/build.sh)", path.display()),
        }
    }

    fn is_required(self) -> bool {
        std::env::var("AGXRUN_REQUIRE_PRODUCTS")
            .is_ok_and(|required| required.split(',').any(|name| name == self.name()))
    }
}

/// The checkout's folder, as paths in a product would name it.
pub fn checkout() -> String {
    root().display().to_string()
}

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .join("../..")
        .canonicalize()
        .expect("the checkout is there")
}

/// `AGXRUN_PRODUCTS`, or where `scripts/macos/build.sh` puts them.
fn products() -> PathBuf {
    std::env::var_os("AGXRUN_PRODUCTS").map_or_else(|| root().join("target/macos"), PathBuf::from)
}

/// What a product may import.
pub fn imports(product: &Product) -> ImportList {
    let mut list = ImportList::default();
    let lists = ["library.txt", "programs.txt"];
    for name in &lists[..if product.imports_as_program { 2 } else { 1 }] {
        let path = root().join("scripts/macos/imports").join(name);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        list.add(&text)
            .unwrap_or_else(|error| panic!("{}: {error:#}", path.display()));
    }
    list
}
