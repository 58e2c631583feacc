use super::*;
use crate::diagnose::FixFacts;
use crate::reports::ips;

fn report(body: &str) -> Report {
    let header = r#"{"app_name":"p","bug_type":"309","os_version":"macOS 15.3 (24D60)"}"#;
    ips::read(format!("{header}\n{body}").as_bytes()).expect("a report")
}

fn text_of(body: &str) -> String {
    translate(&report(body), &TranslateOptions::default())
}

#[test]
fn what_a_report_does_not_give_has_no_line() {
    let text = text_of(r#"{"pid":7,"procName":"p","threads":[{"id":1,"frames":[]}]}"#);
    insta::assert_snapshot!(text);
}

#[test]
fn the_words_of_the_loader_stand_under_the_reason() {
    let text = text_of(
        r#"{"pid":7,"procName":"p","osVersion":{"train":"macOS 14.1","build":"23B74"},
        "exception":{"type":"EXC_CRASH","signal":"SIGABRT","codes":"0x0, 0x0"},
        "termination":{"namespace":"DYLD","code":1,"indicator":"Library missing",
          "reasons":["Library not loaded: @rpath/a.dylib","Referenced from: <U> /b"],
          "details":["(terminated at launch; ignore backtrace)"]},
        "asi":{"dyld":["dyld4 config: DYLD_INSERT_LIBRARIES=x\nline two"]},
        "asiBacktraces":["0   a   0x1 f + 4\n"],
        "faultingThread":0,"threads":[{"triggered":true,"id":1,"frames":[]}]}"#,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn registers_of_x86_64_and_their_code_are_laid_out() {
    let text = text_of(
        r#"{"pid":7,"procName":"p","faultingThread":0,"threads":[{"triggered":true,"id":1,
        "threadState":{"flavor":"x86_THREAD_STATE","rax":{"value":18446744073709551615},
          "cpu":{"value":2},"err":{"value":33554760},"trap":{"value":133}},
        "instructionState":{"instructionStream":{"bytes":[72,139,14,76,139,4,22,15,11,72,131,236,8,72,141,5,142],"offset":7}},
        "frames":[]}]}"#,
    );
    let at = text.find("Thread 0 crashed").expect("registers");
    let end = text.find("Binary Images").expect("images");
    insta::assert_snapshot!(&text[at..end]);
}

#[test]
fn registers_before_the_mark_of_the_crashed_thread_are_read() {
    let text = text_of(
        r#"{"pid":7,"procName":"p","threads":[
        {"threadState":{"flavor":"ARM_THREAD_STATE64","x":[{"value":1}],"sp":{"value":2}},"id":1,"frames":[]},
        {"threadState":{"flavor":"ARM_THREAD_STATE64","x":[{"value":3}],"esr":{"value":4,"description":"(Syscall)"}},
         "id":2,"triggered":true,"frames":[]}]}"#,
    );
    assert!(
        text.contains(
            "Thread 1 crashed with ARM Thread State (64-bit):\n    x0: 0x0000000000000003"
        )
    );
    assert!(text.contains("  esr: 0x00000004 (Syscall)\n"), "{text}");
    assert!(
        !text.contains("0x0000000000000001"),
        "of the other thread: {text}"
    );
}

#[test]
fn an_unknown_processor_shows_its_registers_as_they_come() {
    let text = text_of(
        r#"{"pid":7,"procName":"p","threads":[{"triggered":true,
        "threadState":{"flavor":"RISCV\u001b","a0":{"value":1},"a1":{"value":2}},"frames":[]}]}"#,
    );
    assert!(
        text.contains("Thread 0 crashed with RISCV\\u{1b}:\n"),
        "{text}"
    );
    assert!(
        text.contains("      a0: 0x0000000000000001      a1: 0x0000000000000002\n"),
        "{text}"
    );
}

#[test]
fn one_thread_is_shown_with_the_head_and_nothing_behind_it() {
    let body = r#"{"pid":7,"procName":"p","faultingThread":1,"threads":[
        {"name":"first","frames":[]},{"triggered":true,"queue":"q","frames":[],
         "threadState":{"flavor":"ARM_THREAD_STATE64","pc":{"value":2}}}],
        "usedImages":[{"name":"a","base":1,"size":2}]}"#;
    let one = |number| {
        let options = TranslateOptions {
            threads: Threads::One(number),
            ..TranslateOptions::default()
        };
        translate(&report(body), &options)
    };
    let (first, second) = (one(0), one(1));
    assert!(first.contains("Process:               p [7]\n"));
    assert!(first.contains("\nThread 0:: first\n") && !first.contains("Thread 1 "));
    assert!(!first.contains("Thread State") && !first.contains("Binary Images"));
    assert!(second.contains("\nThread 1 Crashed::  Dispatch queue: q\n"));
    assert!(second.contains("Thread 1 crashed with ARM Thread State"));
    assert!(!second.contains("Binary Images"));
}

#[test]
fn nothing_from_a_report_reaches_the_terminal_as_a_command() {
    let evil = r"\u001b[2J\u009b\r\n\u202e";
    let body = format!(
        r#"{{"pid":7,"procName":"{evil}","procPath":"{evil}","parentProc":"{evil}","cpuType":"{evil}",
        "procRole":"{evil}","responsibleProc":"{evil}","coalitionName":"{evil}","coalitionID":1,
        "modelCode":"{evil}","crashReporterKey":"{evil}","sleepWakeUUID":"{evil}","sip":"{evil}",
        "osVersion":{{"train":"{evil}","build":"{evil}","releaseType":"{evil}"}},
        "bridgeVersion":{{"train":"{evil}","build":"{evil}"}},"basebandVersion":"{evil}",
        "bundleInfo":{{"CFBundleIdentifier":"{evil}","CFBundleVersion":"{evil}"}},
        "exception":{{"type":"{evil}","signal":"{evil}","subtype":"{evil}","codes":"{evil}","message":"{evil}"}},
        "termination":{{"namespace":"{evil}","code":1,"indicator":"{evil}","byProc":"{evil}","reasons":["{evil}"]}},
        "asi":{{"x":["{evil}"]}},"asiBacktraces":["{evil}"],"ktriageinfo":"{evil}","vmRegionInfo":"{evil}","vmSummary":"{evil}",
        "lastExceptionBacktrace":[{{"symbol":"{evil}","sourceFile":"{evil}","sourceLine":1,"imageIndex":0,"imageOffset":1}}],
        "threads":[{{"triggered":true,"name":"{evil}","queue":"{evil}","frames":[{{"imageIndex":0}},{{"imageIndex":9}}],
          "threadState":{{"flavor":"ARM_THREAD_STATE64","esr":{{"value":1,"description":"{evil}"}}}}}}],
        "usedImages":[{{"name":"{evil}","path":"{evil}","uuid":"{evil}","arch":"{evil}","CFBundleShortVersionString":"{evil}"}}]}}"#
    );
    let mut hostile = report(&body);
    for (release, embedded) in [("macOS 15", false), ("macOS 26", false), ("iOS 18", true)] {
        hostile.system.release = Some(release.to_owned());
        hostile.system.is_embedded = embedded;
        let text = translate(&hostile, &TranslateOptions::default());
        let obeyed = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
        assert!(!text.contains(obeyed), "{text:?}");
        assert!(text.matches("\\u{1b}[2J").count() > 15, "{text}");
    }
    hostile.threads.clear();
    hostile.exception = None;
    hostile.kind = crate::reports::Kind::Stackshot;
    let text = translate(&hostile, &TranslateOptions::default());
    assert!(
        !text.contains('\u{1b}') && text.contains("\\u{1b}"),
        "{text:?}"
    );
}

#[test]
fn json_holds_the_same_values_without_characters_that_a_terminal_obeys() {
    let name = "a\u{1b}\u{9b}\u{202e}\u{e0041}\u{e9}\u{1f600}";
    let mut hostile = Report::default();
    hostile.process.name = Some(name.to_owned());
    let text = Document::of(
        std::path::Path::new("f"),
        &hostile,
        &FixFacts::default(),
        &[],
    )
    .text()
    .expect("JSON");
    assert!(
        text.contains(r"a\u001b\u009b\u202e\udb40\udc41é😀"),
        "{text}"
    );
    let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(read["report"]["process"]["name"], name);
}

#[test]
fn text_reports_keep_their_lines() {
    let content = "\u{feff}Process:  p [1]\r\nPath: \u{1b}[2J\r\n\r\nThread 0 name:  main\r\nThread 0 Crashed:\r\n\
        0   a \t0x1 _ZN1a1bEv + 4\r\n\r\nThread 1:\r\n0   b \t0x2 c + 1\r\n\r\n\
        Thread 0 crashed with ARM Thread State:\r\n  r0: 0x1\r\n\r\nBinary Images:\r\n0x1 - 0x2 a\r\n";
    let all = text_report(content, &TranslateOptions::default());
    assert!(all.starts_with("Process:  p [1]\nPath: \\u{1b}[2J\n\nThread 0 name:  main\n"));
    assert!(all.contains("0   a \t0x1 a::b() + 4\n") && !all.contains('\r'));
    let one = |number, demangle| {
        let threads = Threads::One(number);
        text_report(content, &TranslateOptions { threads, demangle })
    };
    assert_eq!(
        one(1, true),
        "Process:  p [1]\nPath: \\u{1b}[2J\n\nThread 1:\n0   b \t0x2 c + 1\n\n"
    );
    let first = one(0, false);
    assert!(first.contains("_ZN1a1bEv") && first.contains("  r0: 0x1\n"));
    assert!(!first.contains("Thread 1") && !first.contains("Binary Images"));
    let json = "{\"bug_type\":\"109\"}\nProcess: p\n";
    assert_eq!(
        text_report(json, &TranslateOptions::default()),
        "Process: p\n"
    );
}

#[test]
fn a_raw_file_is_shown_whole_with_its_control_characters() {
    assert_eq!(
        raw(b"a\tb\x1b[2J\r\n\xff\xc3\xa9\n"),
        "a\tb\\u{1b}[2J\\r\n\\xff\u{e9}\n"
    );
    assert_eq!(raw(b""), "");
}

#[test]
fn an_address_in_an_unnamed_image_is_told_by_that_images_start() {
    let text = text_of(
        r#"{"pid":7,"procName":"p","threads":[{"frames":[{"imageIndex":0,"imageOffset":16},
        {"imageIndex":1,"imageOffset":5},{"imageIndex":7,"imageOffset":5}]}],
        "usedImages":[{"source":"C","base":4096,"size":8192},{"source":"A","base":0,"size":0}]}"#,
    );
    assert!(
        text.contains("0   ???                           \t            0x1010 0x1000 + 16\n"),
        "{text}"
    );
    assert!(
        text.contains("1   ???                           \t               0x5 ???\n"),
        "{text}"
    );
    assert!(
        text.contains("2   ???                           \t               0x0 ???\n"),
        "{text}"
    );
}
