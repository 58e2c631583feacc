//! Whether the fix library was in the process, and whether the driver was entered through it.

use agx_ledger::Ledger;
use serde::Serialize;

use super::bypass::{Bypass, Ways};
use super::normal;
use crate::reports::frames;
use crate::reports::frames::is_interesting;
use crate::reports::model::{Frame, Report};

/// Names of the library's file begin so, whatever the version.
const LIBRARY: &str = "libagx_fix";

/// What a report shows of the fix library.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FixFacts {
    /// The library, where anything shows that it was loaded. That nothing does is no proof that it
    /// was not: reports need not list every image.
    pub library: Option<Library>,
    /// How the driver frame that failed was reached; `None` where none failed.
    pub route: Option<Route>,
    /// How the hooked methods on the stacks were reached; `None` where no hooks stood, or nothing shows the library.
    pub ways: Option<Ways>,
}

/// The fix library in the process that crashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Library {
    /// Its file's name.
    pub name: String,
    /// The policy that it followed: by its ledger, else by the name under which a version was
    /// published. `libagx_fix` itself is nobody's.
    pub policy: Option<String>,
    /// What shows it.
    pub shown_by: ShownBy,
}

/// What shows that a library was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownBy {
    /// The ledger that it wrote.
    Ledger,
    /// The report's list of images.
    Images,
    /// dyld's words: `dyld4 config: DYLD_INSERT_LIBRARIES=…`, which it leaves in a report where it
    /// honoured the variable.
    Dyld,
}

/// How the driver's frame that failed was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Route {
    /// Nothing shows that the library was in the process.
    WithoutLibrary {
        /// The method by which the driver was entered, as ``image`symbol``.
        method: String,
    },
    /// The library called the method: its lock did not prevent the failure.
    Through {
        /// The method.
        method: String,
    },
    /// Another called the method while the library was loaded: the call went past its hooks.
    Past {
        /// The method.
        method: String,
        /// Who called it.
        caller: String,
    },
    /// The library was loaded, and the driver was at work for itself: a function or block of its
    /// own, on which no hook can be, was called by the system.
    OwnWork {
        /// The outermost of the driver's frames.
        function: String,
    },
    /// The library was loaded, and the stack ends at the method.
    Unknown {
        /// The method.
        method: String,
    },
    /// The library's own frame failed.
    InLibrary {
        /// The frame.
        frame: String,
    },
}

impl FixFacts {
    /// What a report shows, and its process's ledger where there is one.
    pub fn of(report: &Report, ledger: Option<&Ledger>) -> Self {
        let library = library(report, ledger);
        let route = route(report, library.is_some());
        let ways = library
            .as_ref()
            .and_then(|library| Ways::of(report, ledger, library.policy.as_deref()));
        Self {
            library,
            route,
            ways,
        }
    }

    /// The calls that went past the library, each a sentence for people.
    pub fn bypasses(&self) -> impl Iterator<Item = String> {
        let bypasses = self.ways.iter().flat_map(|ways| &ways.bypasses);
        bypasses.map(Bypass::describe)
    }

    /// One sentence for people; `None` where no library is to be seen.
    pub fn describe(&self) -> Option<String> {
        let library = self.library.as_ref()?;
        let policy = match &library.policy {
            Some(policy) => format!(" ({policy})"),
            None => String::new(),
        };
        let loaded = format!("{}{policy} was loaded", library.name);
        let route = self.route.as_ref().map(Route::describe);
        Some(match route {
            Some(route) => format!("{loaded}; {route}"),
            None => loaded,
        })
    }
}

impl Route {
    fn describe(&self) -> String {
        match self {
            Self::WithoutLibrary { method } => format!("{method} was called without it"),
            Self::Through { method } => format!("{method} was called through it"),
            Self::Past { method, caller } => format!("{method} was called past it, by {caller}"),
            Self::OwnWork { function } => {
                format!("the driver was at work for itself, in {function}")
            }
            Self::Unknown { method } => format!("the stack ends at {method}"),
            Self::InLibrary { frame } => format!("it failed itself, in {frame}"),
        }
    }
}

fn library(report: &Report, ledger: Option<&Ledger>) -> Option<Library> {
    let by_image = report.images.iter().find_map(|image| {
        let path = image
            .path
            .as_deref()
            .and_then(|path| path.rsplit('/').next());
        [path, image.name.as_deref()]
            .into_iter()
            .flatten()
            .find(|name| name.starts_with(LIBRARY))
    });
    let by_dyld = || {
        let said = report.asi.iter().flat_map(|entry| &entry.messages);
        said.filter(|words| words.contains("DYLD_INSERT_LIBRARIES="))
            .find_map(|words| {
                let start = words.find(LIBRARY)?;
                words.get(start..)?.split([':', ' ', '\n']).next()
            })
    };
    let (name, shown_by) = match (ledger, by_image) {
        (Some(_), name) => (name.or_else(by_dyld).unwrap_or(LIBRARY), ShownBy::Ledger),
        (None, Some(name)) => (name, ShownBy::Images),
        (None, None) => (by_dyld()?, ShownBy::Dyld),
    };
    let policy = match ledger {
        Some(ledger) => Some(ledger.policy.clone()),
        None => agx_policy::from_file_name(name).map(|policy| policy.name.to_owned()),
    };
    Some(Library {
        name: name.to_owned(),
        policy,
        shown_by,
    })
}

/// Follows the stack from the failure outwards to the caller of the driver.
fn route(report: &Report, loaded: bool) -> Option<Route> {
    let frames = report.crashed_frames();
    let is_library = |frame: &Frame| is_library(report, frame);
    let name = |frame: &Frame| {
        frames::describe(report, frame).unwrap_or_else(|| "an unnamed frame".to_owned())
    };
    let failed = frames
        .iter()
        .position(|frame| is_interesting(report, frame))?;
    if is_library(&frames[failed]) {
        return Some(Route::InLibrary {
            frame: name(&frames[failed]),
        });
    }
    let first = frames.iter().position(|frame| is_drivers(report, frame))?;
    // What failed below the driver's frame must be its own: not an application's handler that it
    // called. A driver may bring helpers in its own image.
    let home = frames[first].image_index;
    let inner = frames.get(failed..first).unwrap_or_default();
    let is_its_own = |frame: &Frame| {
        !is_interesting(report, frame) || home.is_some() && frame.image_index == home
    };
    inner.iter().all(is_its_own).then_some(())?;

    let is_at_home =
        |frame: &&Frame| is_drivers(report, frame) || home.is_some() && frame.image_index == home;
    let within = frames[first..].iter().take_while(is_at_home).count();
    let stretch = &frames[first..first + within];
    // A driver's image may also hold what calls it, as the rehearsal's does.
    let entry = stretch.iter().rposition(is_method).unwrap_or(0);
    let caller = frames.get(first + entry + 1);
    let entry = &stretch[entry];
    if !loaded {
        return Some(Route::WithoutLibrary {
            method: name(entry),
        });
    }
    Some(match caller {
        None => Route::Unknown {
            method: name(entry),
        },
        Some(caller) if is_library(caller) => Route::Through {
            method: name(entry),
        },
        Some(_) if !is_method(entry) => Route::OwnWork {
            function: name(entry),
        },
        Some(caller) => Route::Past {
            method: name(entry),
            caller: name(caller),
        },
    })
}

/// Whether a frame is the library's.
pub(super) fn is_library(report: &Report, frame: &Frame) -> bool {
    let image = report.image_name(frame);
    image.is_some_and(|image| image.starts_with(LIBRARY))
}

/// Beginnings of the driver's classes and of Metal's own below them.
const CLASSES: [&str; 5] = ["AGX", "IOGPU", "_MTL", "MTLIOAccel", "MTLTools"];

/// Whether a frame is the driver's or Metal's: by its image, or by its class or namespace.
fn is_drivers(report: &Report, frame: &Frame) -> bool {
    let image = report.image_name(frame).map(normal::image);
    let by_image = matches!(
        image,
        Some("AGXMetal" | "IOGPU" | "Metal" | "MetalTools" | "IOAccelerator")
    );
    by_image
        || is_method(frame)
        || frame
            .symbol
            .as_deref()
            .is_some_and(|symbol| symbol.starts_with("AGX::"))
}

/// Whether a frame is a method of one of the driver's classes, and no block in one.
fn is_method(frame: &Frame) -> bool {
    let symbol = frame.symbol.as_deref().unwrap_or_default();
    let class = symbol
        .strip_prefix("-[")
        .or_else(|| symbol.strip_prefix("+["));
    class.is_some_and(|class| CLASSES.iter().any(|known| class.starts_with(known)))
}
