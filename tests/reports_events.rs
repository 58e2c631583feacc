//! What a person reads in the files of `tests/data/events`; the README there says what they are.

use std::path::Path;

use agxrun::reports::events::{Blame, Details, Gpu, HeavyFrame, PageFault, PanickedTask};
use agxrun::reports::{Kind, Report, ips, read_file, time};

fn read(name: &str) -> Report {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/events");
    let report = read_file(&folder.join(name)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.problems, [], "{name}");
    assert!(!report.is_process_crash(), "{name}");
    report
}

macro_rules! details {
    ($report:expr, $kind:ident) => {
        match &$report.details {
            Some(Details::$kind(details)) => details,
            other => panic!("{other:?}"),
        }
    };
}

#[test]
fn a_lockup_of_the_graphics_processor() {
    let report = read("gpuEvent-lockup.ips");
    assert_eq!(report.kind, Kind::GpuEvent);
    assert_eq!(report.process_name(), Some("DrewsChessMachin"));
    let gpu = Gpu {
        reason_code: Some(4),
        reason: Some("firmware-detected lockup".to_owned()),
        signature: Some("579".to_owned()),
        data_master: Some(3),
        trace_id: Some(1_406_631_678_160),
        ..Gpu::default()
    };
    assert_eq!(**details!(report, Gpu), gpu);
    let common = report.gpu.expect("the facts that signatures look at");
    assert_eq!(common.signature, Some(579));
    assert_eq!(
        common.restart_reason.as_deref(),
        Some("firmware-detected lockup")
    );
}

#[test]
fn a_page_fault_of_the_graphics_processor() {
    let report = read("gpuEvent-page-fault.ips");
    let fault = PageFault {
        address: Some(0x11_5808_0000),
        is_read: true,
        level: Some(1),
        requestor: Some(1),
    };
    assert_eq!(details!(report, Gpu).page_fault, Some(fault));
}

#[test]
fn a_restart_in_the_older_form_has_a_local_time_alone() {
    let report = read("gpuRestart-2017.txt");
    assert_eq!(report.kind, Kind::GpuRestart);
    assert_eq!(report.time(), None);
    let gpu = details!(report, Gpu);
    let local = gpu.local_time.map(|time| time.to_string());
    assert_eq!(local.as_deref(), Some("2017-08-06 11:04:15"));
    assert_eq!(gpu.reason.as_deref(), Some("GPU Reset"));
    assert_eq!(gpu.signature.as_deref(), Some("e"));
    assert_eq!(gpu.hardware.as_deref(), Some("Radeon Pro 560"));
    assert_eq!(gpu.hung_channels.as_deref(), Some("GFX"));
}

#[test]
fn memory_kills_name_who_was_killed_and_why() {
    let report = read("JetsamEvent.ips");
    assert_eq!(report.kind, Kind::Jetsam);
    let jetsam = details!(report, Jetsam);
    let largest = jetsam.largest_process.as_deref();
    assert_eq!(largest, Some("TGOnDeviceInferenceProviderServi"));
    assert_eq!(jetsam.process_count, 2);
    let [killed] = &jetsam.killed[..] else {
        panic!("{:?}", jetsam.killed);
    };
    assert_eq!(
        (killed.name.as_deref(), killed.pid),
        (Some("financed"), Some(44152))
    );
    assert_eq!(killed.reason.as_deref(), Some("per-process-limit"));
    assert_eq!(
        (killed.resident_pages, killed.cpu_seconds),
        (Some(804), Some(0.387_142))
    );
    assert_eq!(killed.states, ["daemon", "idle"]);
    assert_eq!(jetsam.bytes(804), Some(804 * 16_384));
    assert_eq!(jetsam.largest[0].name.as_deref(), Some("backboardd"));
    let memory = &jetsam.memory;
    assert_eq!(
        (memory.page_size, memory.free),
        (Some(16_384), Some(11_374))
    );
    assert_eq!(
        (memory.active, memory.wired),
        (Some(195_361), Some(244_813))
    );
    assert_eq!(
        (memory.anonymous, memory.file_backed),
        (Some(209_999), Some(180_593))
    );
    assert_eq!(
        (memory.compressor, memory.uncompressed),
        (Some(103_177), Some(292_998))
    );
    assert_eq!(memory.largest_zone.as_deref(), Some("APFS_4K_OBJS"));
    assert_eq!(memory.largest_zone_bytes, Some(196_640_768));
}

#[test]
fn memory_kills_of_a_mac_put_the_page_size_at_the_top() {
    let report = read("JetsamEvent-macos.ips");
    let jetsam = details!(report, Jetsam);
    assert_eq!(jetsam.memory.page_size, Some(16_384));
    let killed: Vec<_> = jetsam.killed.iter().map(|process| process.pid).collect();
    assert_eq!(killed, [Some(111), Some(456)]);
    assert_eq!(jetsam.bytes(1_572_864), Some(24 << 30));
}

#[test]
fn a_panic_of_an_intel_mac() {
    let report = read("panic-full-intel.ips");
    assert_eq!(report.kind, Kind::Panic);
    assert_eq!(report.process.pid, None, "the task need not be at fault");
    let panic = details!(report, Panic);
    let message = panic.message.as_deref().expect("a message");
    assert!(
        message.starts_with("assertion failed: now >= *pkt_enq_time, file: /App"),
        "{message}"
    );
    assert!(
        message.ends_with("line: 1130 @uipc_socket.c:8238"),
        "{message}"
    );
    assert_eq!(
        (panic.cpu, panic.caller),
        (Some(4), Some(0xffff_ff80_1999_6dcc))
    );
    let task = PanickedTask {
        name: Some("kernel_task".to_owned()),
        pid: Some(0),
        pages: None,
        threads: Some(278),
    };
    assert_eq!(panic.task, Some(task));
    assert_eq!(
        report.header.os_version.as_deref(),
        Some("macOS 26.2 (25C56)")
    );
}

#[test]
fn a_panic_of_apple_silicon_has_a_sample() {
    let report = read("panic-full-arm.ips");
    let panic = details!(report, Panic);
    let message = panic.message.as_deref();
    let expected = "userspace watchdog timeout: no successful checkins from WindowServer";
    assert_eq!(message, Some(expected));
    assert_eq!(
        (panic.thread, panic.os_build.as_deref()),
        (Some(259), Some("25C56"))
    );
    assert_eq!(panic.product.as_deref(), Some("Mac15,9"));
    assert_eq!(
        panic.kernel.as_deref(),
        Some("Darwin Kernel Version 25.2.0")
    );
    let stackshot = panic.stackshot.as_ref().expect("a sample");
    let blamed = stackshot.blamed.as_ref().expect("the panicked task");
    assert_eq!((blamed.pid, blamed.why), (Some(6982), Blame::Panicked));
    let frame = blamed.threads[0].kernel_frames[0];
    assert_eq!((frame.image, frame.offset), (0, 1234));
    let image = stackshot.image_of(frame).expect("its image");
    assert_eq!(image.base, Some(18_446_743_919_090_728_960));
}

#[test]
fn a_panic_in_the_older_form() {
    let report = read("panic-2018.txt");
    assert_eq!(report.kind, Kind::Panic);
    let panic = details!(report, Panic);
    let message = panic.message.as_deref().expect("a message");
    assert!(
        message.starts_with("\"GPU Panic: mux-regs 4 3 7f 0 0 0 severity 3"),
        "{message}"
    );
}

#[test]
fn a_watchdog_names_the_service_and_what_it_did() {
    let report = read("watchdog-WindowServer.ips");
    assert_eq!(report.kind, Kind::Watchdog);
    assert_eq!(
        (report.process_name(), report.process.pid),
        (Some("WindowServer"), Some(411))
    );
    let end = report.termination.as_ref().expect("a termination");
    assert_eq!(end.namespace.as_deref(), Some("WATCHDOG"));
    assert_eq!(
        end.indicator.as_deref(),
        Some("monitoring timed out for service")
    );
    assert_eq!(end.reasons[1], "is_alive_func returned unhealthy");
    let watchdog = details!(report, Watchdog);
    assert_eq!(watchdog.display_state.as_deref(), Some("OFF"));
    let thermal = watchdog.thermal_pressure.as_deref();
    assert_eq!(thermal, Some("ThermalPressureLevelNominal (0)"));
    assert_eq!(watchdog.notes.len(), 2);
    let stackshot = watchdog.stackshot.as_ref().expect("a sample");
    assert_eq!((stackshot.processes.len(), stackshot.thread_count), (2, 3));
    let blamed = stackshot.blamed.as_ref().expect("the service");
    assert_eq!((blamed.pid, blamed.why), (Some(411), Blame::Subject));
    let thread = &blamed.threads[0];
    assert_eq!(
        thread.name.as_deref(),
        Some("com.apple.coreanimation.cursor.primary")
    );
    assert_eq!(thread.user_frames.len(), 2);
    assert_eq!(thread.user_frames[1].offset, 4_941_760);
}

#[test]
fn a_watchdog_without_a_pid_is_found_by_name() {
    let report = read("watchdog-no-pid.ips");
    assert_eq!(report.process.pid, None);
    let stackshot = details!(report, Watchdog).stackshot.as_ref();
    let blamed = stackshot.and_then(|sample| sample.blamed.as_ref());
    assert_eq!(blamed.and_then(|blamed| blamed.pid), Some(411));
}

#[test]
fn a_forced_reset() {
    let report = read("forceReset-full.ips");
    assert_eq!(report.kind, Kind::ForcedReset);
    let reset = details!(report, ForcedReset);
    let panic = reset.panic.as_ref().expect("the kernel's words");
    assert_eq!(
        (panic.message.as_deref(), panic.cpu),
        (Some("btn_rst"), Some(5))
    );
    let names = reset.stackshot.as_ref().map(|sample| sample.names());
    let names = names.expect("a sample");
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["bh", "kernel_task"]);
}

#[test]
fn resource_diagnostics_give_event_action_and_stack() {
    let cases = [
        (
            "cpu_resource.ips",
            "apfs_defragd",
            7877,
            "cpu usage",
            "none",
            150.41,
            4,
        ),
        (
            "wakeups_resource.diag",
            "gotop",
            94669,
            "wakeups",
            "none",
            35.20,
            2,
        ),
        (
            "diskwrites_resource.ips",
            "afcd",
            299,
            "disk writes",
            "Read",
            660.14,
            2,
        ),
    ];
    for (file, process, pid, event, action, seconds, frames) in cases {
        let report = read(file);
        assert_eq!(report.kind, Kind::Resource, "{file}");
        assert_eq!(report.process_name(), Some(process), "{file}");
        assert_eq!(report.process.pid, Some(pid), "{file}");
        assert!(
            report.incident().is_some() && report.time().is_some(),
            "{file}"
        );
        let resource = details!(report, Resource);
        assert_eq!(resource.event.as_deref(), Some(event), "{file}");
        assert_eq!(resource.action.as_deref(), Some(action), "{file}");
        assert_eq!(resource.seconds, Some(seconds), "{file}");
        assert_eq!(resource.heaviest.len(), frames, "{file}");
    }
    let report = read("wakeups_resource.diag");
    let when = report.time().as_ref().map(time::format);
    assert_eq!(when.as_deref(), Some("2021-09-26 09:41:23.0000 +0200"));
    let resource = details!(report, Resource);
    let observed = resource.observed.as_deref().expect("a sentence");
    assert!(
        observed.starts_with("45001 wakeups over the last 35 seconds"),
        "{observed}"
    );
    let frame = HeavyFrame {
        samples: 3,
        symbol: Some(("runtime.park_m".to_owned(), 157)),
        image: Some("gotop".to_owned()),
        image_offset: Some(282_301),
        address: Some(0x404_4ebd),
    };
    assert_eq!(resource.heaviest[0], frame);
}

#[test]
fn a_fault_that_was_survived_has_the_fields_of_a_crash() {
    let report = read("ExcUserFault-308.ips");
    assert_eq!(report.kind, Kind::OsFault);
    assert_eq!(report.exception_title().as_deref(), Some("EXC_GUARD"));
    assert_eq!(report.crashed_frames().len(), 3);
    let sources: Vec<_> = report
        .images
        .iter()
        .map(|image| image.source.as_deref())
        .collect();
    assert_eq!(sources, [Some("S"), Some("C"), Some("P")]);
}

#[test]
fn a_text_that_says_so_is_no_crash() {
    let text = "Process: mDNSResponder [98799]\nDate/Time: 2016-08-05 10:00:00.000 +0800\n\n\
                Exception Type:  EXC_RESOURCE\nException Subtype: CPU\n\
                Exception Message: (Limit 50%) Observed 52% over 180 secs\n\
                Exception Note:  NON-FATAL CONDITION (this is NOT a crash)\n\nThread 0:\n";
    let header = "{\"bug_type\":\"109\",\"timestamp\":\"2016-08-05 10:00:01.00 +0800\"}\n";
    for text in [text.to_owned(), format!("{header}{text}")] {
        let report = ips::read(text.as_bytes()).expect("a report");
        assert_eq!(report.kind, Kind::OsFault);
        assert_eq!(report.process.pid, Some(98799));
        assert!(!report.is_process_crash());
    }
}

/// A sample that a process's end asked for names that process; no whole one is public.
#[test]
fn a_sample_of_an_end_blames_its_process() {
    let text = "{\"bug_type\":\"509\",\"app_name\":\"python3\"}\n\
                {\"pid\":7,\"procName\":\"python3\",\"frontmostPids\":[34],\
                \"termination\":{\"namespace\":\"TEST\",\"code\":1},\"processByPid\":{\
                \"34\":{\"procname\":\"Finder\"},\"7\":{\"procname\":\"python3\",\"threadById\":{\
                \"12\":{\"state\":[\"TH_WAIT\"]},\"11\":{\"state\":[\"TH_WAIT\"]},\
                \"13\":{\"state\":[\"TH_RUN\"],\"userFrames\":[[0,5]]}}}}}";
    let report = ips::read(text.as_bytes()).expect("a report");
    assert_eq!(
        (&report.kind, &report.problems[..]),
        (&Kind::Stackshot, &[][..])
    );
    let end = report
        .termination
        .as_ref()
        .and_then(|end| end.namespace.as_deref());
    assert_eq!(end, Some("TEST"));
    let blamed = details!(report, Stackshot)
        .blamed
        .as_ref()
        .expect("the process");
    assert_eq!((blamed.pid, blamed.why), (Some(7), Blame::Subject));
    // The one that ran, then the oldest.
    let threads: Vec<_> = blamed.threads.iter().map(|thread| thread.id).collect();
    assert_eq!(threads, [Some(13), Some(11)]);
}

#[test]
fn an_unknown_type_that_holds_a_sample_shows_it() {
    let text = "{\"bug_type\":\"4711\"}\n{\"processByPid\":{\"1\":{\"procname\":\"launchd\"}}}";
    let report = ips::read(text.as_bytes()).expect("a report");
    assert_eq!(report.kind, Kind::Unknown("4711".to_owned()));
    assert_eq!(details!(report, Stackshot).processes.len(), 1);
}

#[test]
fn an_unknown_type_is_data() {
    let report = read("unknown-313.ips");
    assert_eq!(report.kind, Kind::Unknown("313".to_owned()));
    assert_eq!(report.details, None);
}
