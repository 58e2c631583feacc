use super::*;
use proptest::prelude::*;

fn arm(text: &str) -> Arm {
    Arm::parse(text.as_ref()).expect(text)
}

fn refused(text: &str) -> String {
    Arm::parse(text.as_ref()).expect_err(text).to_string()
}

fn options(text: &str) -> Vec<String> {
    let options = arm(text).options();
    options
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn an_arm_is_a_name_or_a_label_with_settings() {
    assert_eq!(options("none"), ["--no-fix"]);
    assert_eq!(
        (arm("v2.5").name.as_str(), options("v2.5")),
        ("v2.5", vec!["--fix".to_owned(), "v2.5".to_owned()])
    );
    let all = "all=fix:v3,throttle:2,lock-scope:queue,env:A=1,env:B=x=y,z";
    assert_eq!(arm(all).name, "all");
    assert_eq!(
        options(all),
        [
            "--fix",
            "v3",
            "--throttle",
            "2",
            "--lock-scope",
            "queue",
            "--env",
            "A=1",
            "--env",
            "B=x=y,z"
        ]
    );
    assert_eq!(
        options("mine=library:/tmp/my,lib.so"),
        ["--dylib", "/tmp/my,lib.so"]
    );
    assert_eq!(
        options("slow=env:MODE=slow"),
        ["--fix", "v3", "--env", "MODE=slow"]
    );
    assert_eq!(arm("v3,throttle:2").throttle, Some(2));
    assert_eq!(arm("control=none").fix, Fix::None);
}

#[test]
fn a_variable_need_not_be_text() {
    let text = OsString::from_vec(b"odd=env:K=\xff,fix:none".to_vec());
    let arm = Arm::parse(&text).expect("an arm");
    assert_eq!(arm.env[OsStr::new("K")], OsString::from_vec(vec![0xff]));
    assert_eq!(arm.fix, Fix::None);
}

#[test]
fn what_is_wrong_with_an_arm_is_named() {
    for (text, part) in [
        ("fast", "arm `fast`:"),
        ("a=fix:v99", "v99"),
        ("a=speed:9", "arm `a`:"),
        ("a=fix:v3,throttle:-1", "`throttle:-1` is no whole number"),
        ("a=fix:v3,lock-scope:all", "`lock-scope:all` is none of"),
        ("a=env:=1", "is no NAME=VALUE"),
        ("a=library:", "names no file"),
        ("=fix:v3", "has no name"),
        (
            "a=fix:v2.9,throttle:2",
            "throttle is for policy v3, and this arm has v2.9",
        ),
        (
            "a=fix:none,lock-scope:queue",
            "lock-scope is for policy v3, and this arm has no fix",
        ),
    ] {
        assert!(refused(text).contains(part), "{text}: {}", refused(text));
    }
}

#[test]
fn arms_that_are_the_same_are_refused_whatever_they_are_called() {
    let all = |texts: &[&str]| arms(texts.iter().map(|text| arm(text)).collect(), vec![], true);
    let told = |texts: &[&str]| all(texts).expect_err("refused");
    assert_eq!(told(&["v3"]), ArmError::TooFew(1));
    assert_eq!(told(&["v3", "v3"]), ArmError::SameName("v3".into()));
    assert_eq!(
        told(&["none", "v3", "ours=fix:v3"]),
        ArmError::Same("v3".into(), "ours".into())
    );
    assert_eq!(
        told(&["a=env:X=1,env:Y=2", "b=env:Y=2,env:X=1"]),
        ArmError::Same("a".into(), "b".into())
    );
    let fine = all(&["v2.5", "none", "v3", "fast=fix:v3,throttle:0"]).expect("arms");
    assert_eq!(control(&fine), 1);
    assert_eq!(control(&all(&["v2.2", "v3"]).expect("arms")), 0);
}

#[test]
fn commands_belong_to_the_arm_of_their_label() {
    let command = |text| Arm::parse_command(text).expect(text);
    assert_eq!(
        command("new=python3 'a b.py' --x=1"),
        (
            "new".into(),
            vec!["python3".into(), "a b.py".into(), "--x=1".into()]
        )
    );
    for text in ["python3", "=x", "a=", "a='unclosed"] {
        assert!(
            matches!(Arm::parse_command(text), Err(ArmError::Command(_))),
            "{text}"
        );
    }
    let two = arms(
        vec![arm("old=none")],
        vec![command("old=a"), command("new=b")],
        false,
    )
    .expect("arms");
    assert_eq!(
        (two[0].command.clone(), two[1].name.as_str()),
        (Some(vec!["a".into()]), "new")
    );
    let bare = arms(vec![arm("none"), arm("v3")], vec![command("v3=b")], false);
    assert_eq!(bare, Err(ArmError::NoCommand("none".into())));
    let twice = arms(vec![], vec![command("a=b"), command("a=c")], false);
    assert_eq!(twice, Err(ArmError::SameName("a".into())));
    let same = arms(vec![], vec![command("a=b"), command("c=b")], false);
    assert_eq!(same, Err(ArmError::Same("a".into(), "c".into())));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}") {
        let parsed = Arm::parse(text.as_ref());
        prop_assert!(parsed.is_err() || !parsed.expect("checked").options().is_empty());
    }

    #[test]
    fn what_stands_between_the_commas_is_nowhere_lost(text in "(fix:|env:|,|=|a|throttle:){0,12}") {
        let joined = items(text.as_bytes()).join(&b',');
        prop_assert_eq!(joined, text.as_bytes());
    }
}
