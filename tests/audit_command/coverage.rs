//! Coverage: images of the dump's classes give the numbers that the dump itself gives.

use agx_policy::abi::Convention;
use agx_policy::dump::Method;
use agx_policy::{POLICIES, coverage as of_dump};
use agxrun::audit::coverage::{ClassCoverage, Coverage, Kind, LeftKind, MethodCoverage};
use agxrun::audit::{Binary, Code};

use crate::driver::{Driver, FUNCTION, dump, listed};
use crate::image::{ARM64, Style, To, X86_64};

fn coverage(image: &[u8]) -> Coverage {
    let mut parts = Binary::parse(image).expect("Mach-O");
    let binary = parts.remove(0).binary.expect("an image");
    assert!(binary.gaps().is_empty(), "{:?}", binary.gaps());
    let objc = binary.objc();
    assert!(objc.gaps.is_empty(), "{:?}", objc.gaps);
    let code = Code::of(&binary, &objc);
    Coverage::of(binary.processor(), &objc, code.as_ref())
}

fn class<'c>(coverage: &'c Coverage, name: &str) -> &'c ClassCoverage {
    let found = coverage.classes.iter().find(|class| class.name == name);
    found.expect("it is there")
}

fn method<'c>(class: &'c ClassCoverage, selector: &str) -> &'c MethodCoverage {
    let named = |it: &&MethodCoverage| it.selector.as_deref() == Some(selector);
    class.methods.iter().find(named).expect("it is there")
}

#[test]
fn the_image_of_a_dump_has_the_dumps_numbers() {
    for (processor, style, convention) in [
        (
            crate::image::ARM64E,
            Style::Chained(9),
            Convention::AppleArm64,
        ),
        (ARM64, Style::Opcodes, Convention::AppleArm64),
        (X86_64, Style::Chained(6), Convention::SysV),
    ] {
        let driver = Driver {
            processor,
            style,
            ..Driver::whole()
        };
        let found = coverage(&driver.build());
        for policy in &POLICIES {
            let expected = of_dump::of(&dump(), policy, convention);
            let numbers = found.policy(policy.name).expect("its numbers");
            assert_eq!(
                (numbers.encoder_work_hooked, numbers.encoder_work),
                expected.encoder_work(),
                "{}",
                policy.name
            );
            assert_eq!(numbers.not_forwardable, 0);
            for reach in &expected.objects {
                let class = class(&found, &reach.class);
                let of = class.policy(policy.name).expect("its numbers");
                assert_eq!(
                    (class.own, class.work, of.hooked, of.work_hooked),
                    (reach.own, reach.work, reach.own_hooks, reach.work_reached),
                    "{} {}",
                    policy.name,
                    reach.class
                );
                assert_eq!(of.not_here, reach.unmatched, "{}", policy.name);
            }
        }
        let (v3, v29) = (found.policy("v3").unwrap(), found.policy("v2.9").unwrap());
        assert_eq!((v3.encoder_work_hooked, v3.encoder_work), (303, 303));
        assert_eq!((v29.encoder_work_hooked, v29.encoder_work), (72, 303));
    }
}

#[test]
fn a_driver_alone_is_known_by_the_names_of_what_it_imports() {
    let found = coverage(&Driver::own().build());
    assert_eq!(found.unknown, []);
    let kinds: Vec<_> = found
        .classes
        .iter()
        .map(|class| (class.name.as_str(), class.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("AGXG16XFamilyBlitContext", Kind::Blit),
            ("AGXG16XFamilyCommandBuffer", Kind::CommandBuffer),
            ("AGXG16XFamilyCommandQueue", Kind::CommandQueue),
            ("AGXG16XFamilyComputeContext", Kind::Compute),
            ("AGXG16XFamilyDebugContext", Kind::Encoder),
            ("AGXG16XFamilyDevice", Kind::Device),
            ("AGXG16XFamilyRenderContext", Kind::Render),
            ("AGXG16XFamilyResourceStateContext", Kind::ResourceState),
            ("AGXG16XFamilySampledComputeContext", Kind::Compute),
            ("AGXG16XFamilySampledRenderContext", Kind::Render),
            ("AGXG16XFamilyThreadedRenderPass", Kind::ParallelRender),
        ]
    );
    // 303 less the 38 of the acceleration structure encoder, which is Metal's.
    let v29 = found.policy("v2.9").expect("its numbers");
    assert_eq!((v29.encoder_work_hooked, v29.encoder_work), (72, 265));
    let v3 = found.policy("v3").expect("its numbers");
    assert_eq!((v3.encoder_work_hooked, v3.encoder_work), (265, 265));

    // A hook on the parent does not reach what a subclass overrides; v3 hooks that, too.
    let sampled = class(&found, "AGXG16XFamilySampledComputeContext");
    assert!(!sampled.concrete && sampled.work > 0);
    assert_eq!(sampled.policy("v2.9").expect("its numbers").hooked, 0);
    assert_eq!(
        sampled.policy("v3").expect("its numbers").work_hooked,
        sampled.work
    );

    // What it inherits from IOGPU cannot be told from what no class has.
    let states = class(&found, "AGXG16XFamilyResourceStateContext");
    assert_eq!(
        states.policy("v2.9").expect("its numbers").not_here,
        ["dealloc"]
    );
}

#[test]
fn each_method_has_its_address_and_what_each_policy_does_about_it() {
    let found = coverage(&Driver::own().build());
    let compute = class(&found, "AGXG16XFamilyComputeContext");
    assert_eq!(
        compute.superclass.as_deref(),
        Some("IOGPUMetalComputeCommandEncoder")
    );
    let set = method(compute, "setComputePipelineState:");
    assert_eq!(set.hooked.len(), POLICIES.len());
    assert_eq!((set.size, set.work), (Some(FUNCTION), true));
    assert_eq!(set.left, []);
    let address = set.address.expect("an address");
    for (within, inside) in [(0, true), (FUNCTION - 1, true), (FUNCTION, false)] {
        let (_, at) = found.method_at(address + within).expect("a method");
        assert_eq!(at == set, inside, "{within}");
    }

    let dealloc = method(compute, "dealloc");
    assert_eq!(dealloc.hooked, [""; 0]);
    assert_eq!(
        dealloc.left_by("v3").expect("a reason").kind,
        LeftKind::Rule
    );
    assert_eq!(
        dealloc.left_by("v1").expect("a reason").kind,
        LeftKind::NotListed
    );
    let device = class(&found, "AGXG16XFamilyDevice");
    assert!(device.methods.iter().all(|it| {
        it.hooked.is_empty() && it.left_by("v3").expect("a reason").kind == LeftKind::OtherClass
    }));
}

#[test]
fn a_method_that_cannot_be_forwarded_is_told_with_its_reason() {
    let mut driver = Driver::own();
    driver
        .class("AGXG16XFamilyComputeContext")
        .methods
        .push(Method {
            selector: "setVector:",
            encoding: "v24@0:8![16,16f]16",
        });
    let found = coverage(&driver.build());
    let v3 = found.policy("v3").expect("its numbers");
    assert_eq!((v3.encoder_work_hooked, v3.encoder_work), (265, 266));
    assert_eq!(v3.not_forwardable, 1);
    let class = class(&found, "AGXG16XFamilyComputeContext");
    let left = method(class, "setVector:").left_by("v3").expect("a reason");
    assert_eq!(left.kind, LeftKind::NotForwardable);
    assert_eq!(left.reason, "vector argument or result");
}

#[test]
fn a_superclass_that_nobody_knows_is_named() {
    let mut driver = Driver::own();
    driver.class("AGXG16XFamilyBlitContext").superclass = "IOGPUMetalTensorCommandEncoder";
    let found = coverage(&driver.build());
    let [unknown] = &found.unknown[..] else {
        panic!("{:?}", found.unknown)
    };
    assert_eq!(unknown.class, "AGXG16XFamilyBlitContext");
    assert_eq!(unknown.superclass, "IOGPUMetalTensorCommandEncoder");
    assert!(
        found
            .classes
            .iter()
            .all(|class| class.name != unknown.class)
    );
}

#[test]
fn what_categories_add_is_their_classes() {
    let mut driver = Driver::own();
    driver.categories = vec![
        (
            "Tensors",
            "AGXG16XFamilyComputeContext",
            vec!["setTensor:", "setTexture:atIndex:"],
        ),
        ("More", "_MTLCommandEncoder", vec!["setMore:"]),
        ("Text", "NSString", vec!["setText:"]),
    ];
    let found = coverage(&driver.build());
    let compute = class(&found, "AGXG16XFamilyComputeContext");
    assert_eq!((compute.own, compute.work), (80, 65));
    let added = method(compute, "setTensor:");
    assert_eq!(added.category.as_deref(), Some("Tensors"));
    assert_eq!(added.hooked, ["v3"]);

    // The runtime finds a category's method first; the class's own is there and never called.
    let both: Vec<_> = compute
        .methods
        .iter()
        .filter(|it| it.selector.as_deref() == Some("setTexture:atIndex:"))
        .collect();
    let [of_category, own] = both[..] else {
        panic!("{both:?}")
    };
    assert_eq!(of_category.hooked.len(), POLICIES.len());
    assert_eq!((own.hooked.len(), own.work), (0, false));
    let left = own.left_by("v3").expect("a reason");
    assert_eq!(left.kind, LeftKind::Replaced);
    assert_eq!(left.reason, "the category `Tensors` takes its place");

    // A class of another image that is known by name; one that has nothing to do with encoding is not.
    let other = class(&found, "_MTLCommandEncoder");
    assert_eq!((other.address, other.kind), (None, Kind::Encoder));
    assert_eq!(method(other, "setMore:").hooked, ["v3"]);
    assert!(found.classes.iter().all(|class| class.name != "NSString"));
}

#[test]
fn a_circle_of_superclasses_ends() {
    let mut driver = Driver::own();
    let mut circle = driver.classes[0].clone();
    circle.name = "AGXCircle";
    driver.classes.push(circle);
    let mut image = driver.image();
    // The class is the last of the list; its superclass becomes itself.
    let class = *listed(&image).last().expect("the list has it");
    image.pointers.insert(class + 8, To::Address(class));
    let found = coverage(&image.build(Style::Chained(9)));
    assert!(found.classes.iter().all(|it| it.name != "AGXCircle"));
    assert_eq!(found.classes.len(), 11);
}
