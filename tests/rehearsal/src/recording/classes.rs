//! Completes the modelled classes by the dump, and makes the classes that only the dump knows.

use super::session::Recorder;
use super::table::{self, Dumped};
use super::{RECORD_ALL, RECORDERS, machine};
use crate::runtime::Imp;
use crate::runtime::class::{ClassRef, ClassSpec, Method, RegisterError, register};
use std::collections::HashMap;
use std::ffi::CStr;

/// Never recorded, because the runtime or the recorders themselves need them to work.
const NEEDED: [&CStr; 11] = [
    c"alloc",
    c"init",
    c"dealloc",
    c"class",
    c"retain",
    c"release",
    c"autorelease",
    c"retainCount",
    c"respondsToSelector:",
    c"forwardingTargetForSelector:",
    c"initialize",
];

/// What is known of a class that is registered.
struct Known {
    superclass: Option<&'static CStr>,
    modelled: HashMap<&'static CStr, Imp>,
}

/// Registers classes superclass first.
struct Registrar {
    /// The dump's classes that are still to come, by name.
    dumped: HashMap<&'static CStr, Dumped>,
    known: HashMap<&'static CStr, Known>,
    recorders: Vec<Recorder>,
    record_all: bool,
}

/// Registers the modelled classes, completed by the dump, and then the dump's other classes.
pub fn register_all(modelled: impl Iterator<Item = ClassSpec>) -> Result<(), RegisterError> {
    let dump = table::read(table::TEXT).map_err(RegisterError::Table)?;
    let order: Vec<_> = dump.iter().map(|class| class.name).collect();
    let mut registrar = Registrar {
        dumped: dump.into_iter().map(|class| (class.name, class)).collect(),
        known: HashMap::new(),
        recorders: Vec::new(),
        record_all: std::env::var_os(RECORD_ALL).is_some_and(|value| value == "1"),
    };
    for spec in modelled {
        registrar.register(spec)?;
    }
    for name in order {
        if let Some(class) = registrar.dumped.get(name) {
            let spec = unmodelled(class);
            registrar.register(spec)?;
        }
    }
    RECORDERS.get_or_init(|| registrar.recorders);
    Ok(())
}

/// A class of which only the dump knows. Classes live as long as the process, and so do its parts.
fn unmodelled(class: &Dumped) -> ClassSpec {
    ClassSpec {
        name: class.name,
        superclass: Some(class.superclass),
        ivars: Vec::new(),
        methods: Vec::new(),
        class_methods: Vec::new(),
        registered: Box::leak(Box::new(ClassRef::new())),
    }
}

impl Registrar {
    fn register(&mut self, mut spec: ClassSpec) -> Result<(), RegisterError> {
        let dumped = self.dumped.remove(spec.name);
        if let (Some(dumped), Some(superclass)) = (&dumped, spec.superclass)
            && dumped.superclass != superclass
        {
            return Err(RegisterError::Table(format!(
                "driver-classes.tsv: superclass {:?} of {:?} is {superclass:?} in the model",
                dumped.superclass, spec.name
            )));
        }
        let own = spec.methods.iter().map(|it| (it.selector, it.imp));
        let known = Known {
            superclass: spec.superclass,
            modelled: own.collect(),
        };
        // The system's root class is not in this list, and GCC's is nobody's to record.
        if self.record_all && spec.superclass.is_some() {
            for method in &mut spec.methods {
                if !NEEDED.contains(&method.selector) {
                    method.imp = self.recorder(spec.name, method.selector, method.types)?;
                }
            }
        }
        for &(selector, types) in dumped.iter().flat_map(|it| &it.methods) {
            if known.modelled.contains_key(selector) {
                continue;
            }
            let inherited = self.inherited(known.superclass, selector);
            let needed = NEEDED.contains(&selector);
            let imp = match inherited {
                Some(imp) if needed || !self.record_all => imp,
                None if needed => continue,
                _ => self.recorder(spec.name, selector, types)?,
            };
            spec.methods.push(Method {
                selector,
                types,
                imp,
            });
        }
        register(&spec)?;
        self.known.insert(spec.name, known);
        Ok(())
    }

    /// The model's nearest implementation above a class. A dumped override of it does the same: the model knows no better, and a
    /// recorder there would take the modelled behaviour away.
    fn inherited(&self, mut class: Option<&'static CStr>, selector: &CStr) -> Option<Imp> {
        while let Some(known) = class.and_then(|name| self.known.get(name)) {
            if let Some(imp) = known.modelled.get(selector) {
                return Some(*imp);
            }
            class = known.superclass;
        }
        None
    }

    fn recorder(
        &mut self,
        class: &'static CStr,
        selector: &'static CStr,
        types: &'static CStr,
    ) -> Result<Imp, RegisterError> {
        let slot = self.recorders.len();
        if slot == machine::SLOTS {
            return Err(RegisterError::NoSlot(class, selector));
        }
        self.recorders.push(Recorder::new(class, selector, types));
        Ok(machine::thunk(slot).cast())
    }
}
