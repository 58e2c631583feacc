//! The same classes in every layout of lists and with every kind of pointer: the same is read.

use agxrun::audit::{Binary, Class, ClassRef, Layout, Library, Method, Objc, Why};
use agxrun::target::image::Processor;

use crate::image::{ARM64, ARM64E, Style, X86_64};
use crate::zoo::{ALLOC, BARK, DESTROY, LAYOUTS, Lists, SIT, Zoo, zoo};

pub fn only(bytes: &[u8]) -> Binary<'_> {
    let mut parts = Binary::parse(bytes).expect("Mach-O");
    assert_eq!(parts.len(), 1);
    parts.remove(0).binary.expect("an image")
}

fn told<'a>(methods: &[Method<'a>]) -> Vec<(Option<&'a str>, Option<&'a str>, Option<u64>)> {
    methods
        .iter()
        .map(|method| (method.selector, method.types, method.implementation))
        .collect()
}

fn class<'o, 'a>(objc: &'o Objc<'a>, name: &str) -> &'o Class<'a> {
    objc.classes
        .iter()
        .find(|class| class.name == Some(name))
        .expect("the class is there")
}

/// What is in every zoo.
fn check(zoo: &Zoo, objc: &Objc<'_>, layout: Layout) {
    assert!(objc.gaps.is_empty(), "{:?}", objc.gaps);
    let (animal, dog) = (class(objc, "Animal"), class(objc, "Dog"));
    assert_eq!((animal.address, dog.address), (zoo.animal, zoo.dog));
    assert_eq!(animal.metaclass, Some(zoo.animal - 40));
    assert_eq!(
        animal.superclass,
        Some(ClassRef::Imported {
            symbol: "_OBJC_CLASS_$_NSObject",
            library: Library::Ordinal(1)
        })
    );
    let above: Vec<_> = objc.ancestors(dog).iter().map(ClassRef::name).collect();
    assert_eq!(above, [Some("Animal"), Some("NSObject")]);
    assert_eq!(
        told(&animal.instance_methods),
        [(Some("destroyImpl"), Some("v16@0:8"), Some(DESTROY))]
    );
    assert_eq!(
        told(&dog.instance_methods),
        [
            (Some("bark"), Some("v16@0:8"), Some(BARK)),
            (Some("sit:"), Some("v24@0:8q16"), Some(SIT))
        ]
    );
    assert_eq!(
        told(&dog.class_methods),
        [(Some("alloc"), Some("@16@0:8"), Some(ALLOC))]
    );
    assert_eq!(dog.instance_methods[0].layout, layout);
    assert_eq!(
        (dog.instance_start, dog.instance_size, dog.root),
        (8, 24, false)
    );
    assert_eq!(dog.protocols, ["Barking"]);
    let ivars: Vec<_> = animal
        .ivars
        .iter()
        .map(|ivar| {
            (
                ivar.name,
                ivar.types,
                ivar.offset,
                ivar.size,
                ivar.alignment,
            )
        })
        .collect();
    assert_eq!(
        ivars,
        [
            (Some("_impl"), Some("^{Impl=}"), Some(8), 8, 8),
            (Some("_lock"), Some("{lock=I}"), Some(16), 8, 8)
        ]
    );
    let [category] = &objc.categories[..] else {
        panic!("one category: {:?}", objc.categories)
    };
    assert_eq!(category.name, Some("Tricks"));
    assert_eq!(
        category.class.and_then(|class| class.name()),
        Some("NSString")
    );
    assert_eq!(
        told(&category.instance_methods),
        [(Some("bark"), Some("v16@0:8"), Some(SIT))]
    );
    let [protocol] = &objc.protocols[..] else {
        panic!("one protocol: {:?}", objc.protocols)
    };
    assert_eq!(protocol.name, Some("Barking"));
    assert_eq!(
        told(&protocol.required.instance),
        [(Some("bark"), Some("v16@0:8"), None)]
    );
    assert_eq!(
        told(&protocol.optional.instance),
        [(Some("sit:"), Some("v24@0:8q16"), None)]
    );
    let [stub] = objc.stubs[..] else {
        panic!("one stub: {:?}", objc.stubs)
    };
    assert_eq!(stub.selector, Some("bark"));
    let sent = objc
        .selector_references
        .iter()
        .find(|reference| reference.address == stub.reference);
    assert_eq!(sent.and_then(|reference| reference.selector), Some("bark"));
}

fn every_list(processor: (u32, u32), told: Processor, style: Style) {
    for lists in LAYOUTS {
        let zoo = zoo(processor, lists);
        let bytes = zoo.image.build(style);
        let binary = only(&bytes);
        assert!(binary.gaps().is_empty(), "{style:?}: {:?}", binary.gaps());
        assert_eq!(binary.processor(), told);
        let layout = match lists {
            Lists::Absolute => Layout::Absolute,
            Lists::Relative => Layout::Relative,
            Lists::Direct | Lists::Cache => Layout::Direct,
        };
        check(&zoo, &binary.objc(), layout);
    }
}

#[test]
fn chained_pointers_of_arm64() {
    for number in [2, 6] {
        every_list(ARM64, Processor::Arm64, Style::Chained(number));
    }
}

#[test]
fn chained_pointers_of_arm64e() {
    for number in [1, 7, 9, 10, 12] {
        every_list(ARM64E, Processor::Arm64e, Style::Chained(number));
    }
}

#[test]
fn chained_pointers_of_intel() {
    every_list(X86_64, Processor::X86_64, Style::Chained(6));
}

#[test]
fn every_layout_of_the_table_of_imports() {
    for layout in [1, 2, 3] {
        every_list(ARM64, Processor::Arm64, Style::Imports(layout));
    }
}

#[test]
fn opcodes() {
    every_list(X86_64, Processor::X86_64, Style::Opcodes);
    every_list(ARM64, Processor::Arm64, Style::Opcodes);
}

#[test]
fn chains_that_opcodes_begin() {
    every_list(ARM64E, Processor::Arm64e, Style::Threaded);
}

#[test]
fn selectors_of_the_shared_cache_are_told_to_be_missing_and_the_rest_is_read() {
    let zoo = zoo(ARM64E, Lists::Cache);
    let bytes = zoo.image.build(Style::Chained(12));
    let objc = only(&bytes).objc();
    let dog = class(&objc, "Dog");
    assert_eq!(
        told(&dog.instance_methods),
        [
            (None, Some("v16@0:8"), Some(BARK)),
            (None, Some("v24@0:8q16"), Some(SIT))
        ]
    );
    let methods = 7;
    assert_eq!(objc.gaps.count(), methods);
    assert!(
        objc.gaps
            .kept()
            .iter()
            .all(|gap| gap.why == Why::SharedCacheSelector),
        "{:?}",
        objc.gaps
    );
}
