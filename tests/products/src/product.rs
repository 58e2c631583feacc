//! What is built, and what each piece is meant to be.

/// What a file is to dyld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A dynamic library.
    Library,
    /// A program.
    Program,
}

/// One file that `scripts/macos/build.sh` makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    /// Its name below `target/macos/ARCHITECTURE/`.
    pub file: &'static str,
    /// What it is to dyld.
    pub kind: Kind,
    /// The name by which a program that links the library would ask for it.
    pub install_name: Option<&'static str>,
    /// How many functions dyld calls as it loads the file.
    pub initialisers: usize,
    /// The functions that its `__interpose` table replaces, sorted.
    pub interposed: &'static [&'static str],
    /// What an exported name may begin with; empty where nothing is asked, as of programs, which export Rust's own.
    pub export_prefixes: &'static [&'static str],
    /// Bytes that one slice may have.
    pub size_limit: u64,
    /// Whether it may import what `programs.txt` lists, beside `library.txt`.
    pub imports_as_program: bool,
    /// Sections beyond those of every file.
    pub sections: &'static [&'static str],
}

/// Everything that `scripts/macos/build.sh` makes and that runs on a Mac.
pub const PRODUCTS: [Product; 4] = [
    Product {
        file: "libagx_fix.dylib",
        kind: Kind::Library,
        install_name: Some("@rpath/libagx_fix.dylib"),
        initialisers: 1,
        interposed: &["__Exit", "__exit", "_dlopen"],
        export_prefixes: &["_agx_fix_"],
        size_limit: 600_000,
        imports_as_program: false,
        sections: &["__DATA,__interpose"],
    },
    Product {
        file: "agxrun",
        kind: Kind::Program,
        install_name: None,
        // Signals and stdin as they were inherited are looked at before Rust's runtime changes them.
        initialisers: 1,
        interposed: &[],
        export_prefixes: &[],
        // 8.2 MB with statistics, plots and pages: what is added by accident is noticed, not a command.
        size_limit: 10_000_000,
        imports_as_program: true,
        // Constants of 16-bit numbers, which LLVM takes for UTF-16 text.
        sections: &["__TEXT,__ustring"],
    },
    Product {
        file: "libagx_rehearsal.dylib",
        kind: Kind::Library,
        install_name: Some("@rpath/libagx_rehearsal.dylib"),
        initialisers: 1,
        interposed: &[],
        export_prefixes: &["_agx_rehearsal_", "_MTLReportFailure", "_gCRAnnotations"],
        size_limit: 2_000_000,
        imports_as_program: true,
        // What ReportCrash copies into a report.
        sections: &["__DATA,__crash_info"],
    },
    Product {
        file: "agx-rehearsal-workload",
        kind: Kind::Program,
        install_name: None,
        initialisers: 0,
        interposed: &[],
        export_prefixes: &[],
        size_limit: 4_000_000,
        imports_as_program: true,
        sections: &[],
    },
];
