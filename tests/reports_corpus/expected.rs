//! What a person reads in the files of `tests/data/reports`.
//!
//! Made by hand: process, pid, time, exception, incident and crashed thread are those of the lines
//! that give them, and frames were looked up in the crashed thread by index, offset and image with
//! `grep` and a JSON viewer. None of it was taken from what the reader says. "Signature" is what the
//! stack and the messages amount to in the list of known signatures: no file here shows one.

/// File, process, pid, time, exception, incident, index of the crashed thread, number of its
/// frames, the first of them.
pub(crate) type Json = (
    &'static str,
    &'static str,
    i32,
    &'static str,
    &'static str,
    &'static str,
    usize,
    usize,
    &'static str,
);

/// JSON bodies, and one text body behind a JSON header line.
#[rustfmt::skip]
pub(crate) const JSON: [Json; 21] = [
    ("001_Python.ips", "Python", 28566, "2025-06-27 12:35:35.9371 +0300", "EXC_BAD_ACCESS (SIGSEGV)", "A357AD50-B0BC-47E5-98C2-CEFFD4342928", 0, 57, "libsystem_platform.dylib`_platform_memmove$VARIANT$Haswell + 169"),
    ("005_PhotoGuruViewer.ips", "PhotoGuruViewer", 24975, "2026-01-04 21:24:05.7476 -0800", "EXC_CRASH (SIGABRT)", "79D3462F-A620-4338-9F2E-59B41F9296B6", 0, 46, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("008_MotoCortex.ips", "MotoCortex", 9387, "2026-08-19 12:18:13.6635 +0300", "EXC_CRASH (SIGABRT)", "5A11028D-C9A0-43B8-B7D0-B85063ED2E4E", 0, 36, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("012_MotoCortex.ips", "MotoCortex", 19861, "2026-08-17 13:51:27.4574 +0300", "EXC_CRASH (SIGABRT)", "C327E934-CF06-493D-ACD9-66F0E6E3B4FC", 0, 36, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("016_MotoCortex.ips", "MotoCortex", 80060, "2026-08-10 14:12:28.5003 +0300", "EXC_BAD_ACCESS (SIGSEGV)", "2A86C0C5-E8D0-43F3-A114-42BBADF3C08B", 6, 100, "hermes`facebook::hermes::detail::hermesFatalErrorHandler(void*, std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char>> const&, bool) + 28"),
    ("018_MotoCortex.ips", "MotoCortex", 44751, "2026-07-30 16:53:02.7390 +0300", "EXC_CRASH (SIGABRT)", "07E59EA4-B057-4371-A422-2276E9902722", 0, 36, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("020_fallout1-rebirth.ips", "fallout1-rebirth", 43432, "2026-02-08 12:52:05.5510 -0600", "EXC_BREAKPOINT (SIGTRAP)", "DBBF3303-8465-465B-B26D-153F243AEBB1", 0, 9, "libsystem_malloc.dylib`mfm_free.cold.4 + 36"),
    ("024_FocusTogether.ips", "FocusTogether", 9376, "2026-02-02 15:03:30.6022 +0700", "EXC_CRASH (SIGABRT)", "8A74258B-0B1C-463C-B15B-639F73CA1AEE", 0, 38, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("027_JubileeMobileBay.ips", "JubileeMobileBay", 56753, "2025-07-19 17:43:32.5121 -0500", "EXC_CRASH (SIGABRT)", "7479BA00-83E2-449D-B17C-68FA12B39B64", 0, 20, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("029_tokzic.ips", "tokzic", 76155, "2025-02-12 14:32:27.5035 -0600", "EXC_CRASH (SIGABRT)", "1365D293-B207-4157-931E-0539E9BD4C8A", 0, 115, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("031_qlcplus.ips", "qlcplus", 52024, "2025-12-01 20:05:56.5074 +0100", "EXC_BAD_ACCESS (SIGSEGV)", "3FC626CB-8696-4136-8961-D1D09F3796AA", 0, 30, "libqlcplusengine.dylib`QMap<int, AttributeOverride>::operator[](int const&) + 180"),
    ("035_novellum.ips", "novellum", 47387, "2026-05-01 11:00:00.7819 -0400", "EXC_CRASH (SIGABRT)", "D45B85C7-5FB9-456A-99C4-372C53C6B026", 0, 40, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("039_novellum.ips", "novellum", 50701, "2026-05-01 11:09:26.9056 -0400", "EXC_CRASH (SIGABRT)", "4A3E3E73-26CA-4B9F-A524-4D475E8EDAFE", 0, 40, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("043_MySQLWorkbench.ips", "MySQLWorkbench", 842, "2024-05-01 14:47:18.2119 -0500", "EXC_BAD_ACCESS (SIGSEGV)", "B46D6B09-7A15-4E05-9835-D4AE63700CC7", 0, 31, "libmforms.dylib`mforms::ToolBar::find_item(std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char>> const&) + 28"),
    ("047_Execudex.ips", "Execudex", 72934, "2025-12-15 22:16:26.2363 -0500", "EXC_BAD_ACCESS (SIGSEGV)", "1C6830B1-D5D0-46E7-8210-EEA024F333FE", 6, 33, "hermes`hermes::vm::objectPrototypeHasOwnProperty(void*, hermes::vm::Runtime&, hermes::vm::NativeArgs) + 88"),
    ("048_Transit.ips", "Transit", 27589, "2025-02-01 18:45:54.0676 -0500", "EXC_BREAKPOINT (SIGTRAP)", "6D7FEBB5-F462-49B5-B498-6D5C30B8212A", 13, 32, "Transit.debug.dylib`*/Xcode-16.2.0.app/Contents/Developer/Platforms/iPhoneSimulator.platform/Developer/SDKs/iPhoneSimulator18.2.sdk/usr/include/c++/v1/vector:1393: assertion __n < size() failed: vector[] index out of bounds\n + 0"),
    ("051_itunescloudd.ips", "itunescloudd", 692, "2021-10-22 00:14:53.0749 +0300", "EXC_CRASH (SIGABRT)", "13917FF0-E1B1-4652-84C2-85516D101DFE", 7, 15, "libsystem_kernel.dylib + 0x29334"),
    ("053_sleep.ips", "sleep", 10277, "2022-01-06 15:09:22.6192 +0200", "EXC_BAD_ACCESS (SIGSEGV)", "051760D9-97FF-475F-8B61-B0FDFB04D484", 0, 4, "??? + 0x0"),
    ("059_iOSCrashingTest.ips", "iOSCrashingTest", 455, "2022-09-18 15:28:37.3451 +0900", "EXC_BREAKPOINT (SIGTRAP)", "356753AC-2172-45DC-977A-11F2328980D0", 0, 48, "libswiftCore.dylib`_assertionFailure(_:_:file:line:flags:) + 312"),
    ("069_CrashingTest.ips", "CrashingTest", 1710, "2022-08-03 20:36:44.3125 +0900", "EXC_BAD_ACCESS (SIGSEGV)", "02F8E982-2985-4720-946D-B4ECDE40DC2C", 0, 3, "CrashingTest + 0x3e45"),
    ("089_MemoryLeakingApp.ips", "MemoryLeakingApp", 8592, "2022-08-05 13:24:19.1161 +0400", "EXC_CRASH (SIGSEGV)", "E84B8735-5755-484C-9E6D-ACB5DC36E7C2", 0, 33, "libsystem_kernel.dylib`__pthread_kill + 10"),
];

/// File, process, pid, time, exception, incident (empty where the text names none), number of the
/// crashed thread, its first frame.
pub(crate) type Text = (
    &'static str,
    &'static str,
    i32,
    &'static str,
    &'static str,
    &'static str,
    usize,
    &'static str,
);

/// Text from the first line: translations, older systems, other writers.
#[rustfmt::skip]
pub(crate) const TEXT: [Text; 39] = [
    ("002_Python.crash", "Python", 28566, "2025-06-27 12:35:35.9371 +0300", "EXC_BAD_ACCESS (SIGSEGV)", "", 0, "libsystem_platform.dylib`_platform_memmove$VARIANT$Haswell + 169"),
    ("006_PhotoGuruViewer.crash", "PhotoGuruViewer", 24975, "2026-01-04 21:24:05.7476 -0800", "EXC_CRASH (SIGABRT)", "", 0, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("007_camera_display.crash", "camera_display", 84399, "2025-10-22 13:33:50.1478 -0400", "EXC_BREAKPOINT (SIGTRAP)", "", 15, "AppKit`-[NSWMWindowCoordinator performTransactionUsingBlock:] + 752"),
    ("009_MotoCortex.crash", "MotoCortex", 9387, "2026-08-19 12:18:13.6635 +0300", "EXC_CRASH (SIGABRT)", "5A11028D-C9A0-43B8-B7D0-B85063ED2E4E", 0, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("013_MotoCortex.crash", "MotoCortex", 19861, "2026-08-17 13:51:27.4574 +0300", "EXC_CRASH (SIGABRT)", "C327E934-CF06-493D-ACD9-66F0E6E3B4FC", 0, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("017_MotoCortex.crash", "MotoCortex", 80060, "2026-08-10 14:12:28.5003 +0300", "EXC_BAD_ACCESS (SIGSEGV)", "2A86C0C5-E8D0-43F3-A114-42BBADF3C08B", 6, "hermes`facebook::hermes::detail::hermesFatalErrorHandler(void*, std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char>> const&, bool) + 28"),
    ("019_MotoCortex.crash", "MotoCortex", 44751, "2026-07-30 16:53:02.7390 +0300", "EXC_CRASH (SIGABRT)", "07E59EA4-B057-4371-A422-2276E9902722", 0, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("021_fallout1-rebirth.crash", "fallout1-rebirth", 43432, "2026-02-08 12:52:05.5510 -0600", "EXC_BREAKPOINT (SIGTRAP)", "DBBF3303-8465-465B-B26D-153F243AEBB1", 0, "libsystem_malloc.dylib`mfm_free.cold.4 + 36"),
    ("025_FocusTogether.crash", "FocusTogether", 9376, "2026-02-02 15:03:30.6022 +0700", "EXC_CRASH (SIGABRT)", "", 0, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("028_JubileeMobileBay.crash", "JubileeMobileBay", 56753, "2025-07-19 17:43:32.5121 -0500", "EXC_CRASH (SIGABRT)", "7479BA00-83E2-449D-B17C-68FA12B39B64", 0, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("030_tokzic.crash", "tokzic", 76155, "2025-02-12 14:32:27.5035 -0600", "EXC_CRASH (SIGABRT)", "1365D293-B207-4157-931E-0539E9BD4C8A", 0, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("032_qlcplus.crash", "qlcplus", 52024, "2025-12-01 20:05:56.5074 +0100", "EXC_BAD_ACCESS (SIGSEGV)", "", 0, "libqlcplusengine.dylib`QMap<int, AttributeOverride>::operator[](int const&) + 180"),
    ("036_novellum.crash", "novellum", 47387, "2026-05-01 11:00:00.7819 -0400", "EXC_CRASH (SIGABRT)", "D45B85C7-5FB9-456A-99C4-372C53C6B026", 0, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("040_novellum.crash", "novellum", 50701, "2026-05-01 11:09:26.9056 -0400", "EXC_CRASH (SIGABRT)", "4A3E3E73-26CA-4B9F-A524-4D475E8EDAFE", 0, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("044_MySQLWorkbench.crash", "MySQLWorkbench", 842, "2024-05-01 14:47:18.2119 -0500", "EXC_BAD_ACCESS (SIGSEGV)", "", 0, "libmforms.dylib`mforms::ToolBar::find_item(std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char>> const&) + 28"),
    ("049_Transit.crash", "Transit", 27589, "2025-02-01 18:45:54.0676 -0500", "EXC_BREAKPOINT (SIGTRAP)", "6D7FEBB5-F462-49B5-B498-6D5C30B8212A", 13, "Transit.debug.dylib`*/Xcode-16.2.0.app/Contents/Developer/Platforms/iPhoneSimulator.platform/Developer/SDKs/iPhoneSimulator18.2.sdk/usr/include/c++/v1/vector:1393: assertion __n < size() failed: vector[] index out of bounds + 0"),
    ("054_WebDriverAgent.crash", "WebDriverAgent", 39655, "2016-03-15 08:36:38.0330 +0000", "EXC_CRASH (SIGABRT)", "", 0, "libsystem_kernel.dylib`__pthread_kill + 10"),
    ("055_TableSearch.crash", "TableSearch", 40119, "2016-03-15 08:38:21.2360 +0000", "EXC_CRASH (SIGABRT)", "", 0, "libsystem_kernel.dylib`__pthread_kill + 10"),
    ("056_TableSearch.crash", "TableSearch", 37083, "2016-03-15 08:26:41.9960 +0000", "EXC_CRASH (SIGABRT)", "", 0, "libsystem_kernel.dylib`__pthread_kill + 10"),
    ("057_assetsd.crash", "assetsd", 39942, "2016-03-15 08:38:22.6570 +0000", "EXC_CRASH (SIGABRT)", "", 5, "libsystem_kernel.dylib`__pthread_kill + 10"),
    ("061_iOSCrashingTest.crash", "iOSCrashingTest", 455, "2022-09-18 15:28:37.3451 +0900", "EXC_BREAKPOINT (SIGTRAP)", "356753AC-2172-45DC-977A-11F2328980D0", 0, "libswiftCore.dylib`_assertionFailure(_:_:file:line:flags:) + 312"),
    ("065_CrashingInAnotherTargetTest.crash", "CrashingInAnotherTargetTest", 1757, "2022-08-03 20:37:49.4630 +0900", "EXC_BAD_INSTRUCTION (SIGILL)", "", 0, "libswiftCore.dylib`_assertionFailure(_:_:file:line:flags:) + 421"),
    ("067_CrashingInAnotherTargetTest.crash", "CrashingInAnotherTargetTest", 1757, "2022-08-03 20:37:49.4630 +0900", "EXC_BAD_INSTRUCTION (SIGILL)", "", 0, "libswiftCore.dylib`_assertionFailure(_:_:file:line:flags:) + 421"),
    ("071_iOSCrashingTest.crash", "iOSCrashingTest", 6979, "2021-04-03 11:46:48.5858 +0900", "EXC_BREAKPOINT (SIGTRAP)", "486915FD-B1CD-42DA-AC7B-F1E16E745DB4", 0, "libswiftCore.dylib`_assertionFailure(_:_:file:line:flags:) + 1504"),
    ("073_CrashingInAnotherTargetTest.crash", "CrashingInAnotherTargetTest", 8279, "2021-04-03 11:41:48.6010 +0900", "EXC_BAD_INSTRUCTION (SIGILL)", "", 0, "libswiftCore.dylib`_assertionFailure(_:_:file:line:flags:) + 863"),
    ("075_CrashingTest.crash", "CrashingTest", 8256, "2021-04-03 11:41:44.3120 +0900", "EXC_BAD_ACCESS (SIGSEGV)", "", 0, "CrashingTest + 0x3e45"),
    ("077_iOSCrashingTest.crash", "iOSCrashingTest", 7563, "2019-10-22 23:03:16.2441 +0900", "EXC_BREAKPOINT (SIGTRAP)", "5C3AC9BA-0CC7-4D6C-9DD2-3E11A6E10822", 0, "libswiftCore.dylib`specialized _assertionFailure(_:_:file:line:flags:) + 440"),
    ("079_CrashingAndHangingTest.crash", "CrashingAndHangingTest", 77785, "2021-03-22 00:23:26.8880 +0900", "EXC_BAD_INSTRUCTION (SIGILL)", "", 0, "libswiftCore.dylib`_assertionFailure(_:_:file:line:flags:) + 863"),
    ("081_CrashingAndHangingTest.crash", "CrashingAndHangingTest", 77522, "2021-03-21 23:46:36.8930 +0900", "EXC_BAD_ACCESS (SIGSEGV)", "", 0, "CrashingAndHangingTest + 0x3afa"),
    ("083_CrashingAndHangingTest.crash", "CrashingAndHangingTest", 93231, "2019-09-04 01:00:52.2420 +0900", "EXC_BAD_ACCESS (SIGSEGV)", "", 0, "CrashingAndHangingTest + 0xde1"),
    ("085_CrashingAndHangingTest.crash", "CrashingAndHangingTest", 93231, "2019-09-04 01:00:52.2420 +0900", "EXC_BAD_ACCESS (SIGSEGV)", "", 0, "CrashingAndHangingTest`-[MyClass crashingMethod]"),
    ("087_MacSymbolicator.crash", "MacSymbolicator", 28966, "2018-06-10 16:58:47.7550 +0900", "EXC_BAD_INSTRUCTION (SIGILL)", "", 6, "jp.mahdi.MacSymbolicator`Symbolicator.symbolicate()"),
    ("093_iTubeDownloader.crash", "iTubeDownloader", 590, "2014-07-16 00:25:09.0000 +0000", "SIGSEGV", "", 0, "com.apple.JavaScriptCore`JSValueIsString + 155"),
    ("095_YetAnotherMac.crash", "YetAnotherMac", 49028, "2019-01-09 17:42:22.0000 +0000", "SIGSEGV", "5C32DF84-31A0-43E7-87D0-239F7F594940", 1, "libsystem_kernel.dylib + 0x25be"),
    ("097_Slack.crash", "Slack", 2214, "2021-07-19 09:08:31.1340 +0200", "EXC_BAD_ACCESS", "", 0, "dyld`memcmp + 208"),
    ("098_Crash-Tester.crash", "Crash-Tester", 862, "1970-01-18 03:47:06.0000 +0900", "EXC_CRASH (SIGABRT)", "CC97F21E-A2E1-49E8-9D6A-487E950A261A", 0, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("099_Crash-Tester.crash", "Crash-Tester", 856, "1970-01-18 03:46:32.0000 +0900", "EXC_BAD_ACCESS (SIGSEGV)", "7BA1BD2F-C0C1-491D-9574-2BA7B5089CFF", 0, "Crash-Tester`-[Crasher dereferenceBadPointer] + 24"),
    ("100_Crash-Tester.crash", "Crash-Tester", 867, "1970-01-18 03:48:41.0000 +0900", "EXC_CRASH (SIGABRT)", "D7615A54-B778-4DCF-BDAC-689936B95283", 0, "libsystem_kernel.dylib`__pthread_kill + 8"),
    ("101_Crash-Tester.crash", "Crash-Tester", 859, "1970-01-18 03:46:46.0000 +0900", "EXC_BAD_ACCESS (SIGSEGV)", "B9B72500-B341-456A-BC12-6662588BBC62", 0, "libobjc.A.dylib`_ZL12realizeClassP7class_t + 20"),
];
