//! Each broken rule ends in Metal's own sentence on stderr and a real abort.

mod workload;

use nix::libc::SIGABRT;
use workload::workload as run;

#[track_caller]
fn assert_aborts(fault: &str, sentence: &str) {
    for extra in [&[][..], &["--mps"][..]] {
        let ended = run(&[&["--fault", fault][..], extra].concat());
        assert_eq!(ended.signal, Some(SIGABRT), "{fault}: {ended:?}");
        assert_eq!(ended.stderr, format!("{sentence}\n"), "{fault}");
        assert_eq!(ended.stdout, "", "{fault}");
    }
}

#[test]
fn a_second_encoder() {
    assert_aborts(
        "coalesce",
        "-[AGXG16XFamilyCommandBuffer \
         tryCoalescingPreviousComputeCommandEncoderWithConfig:nextEncoderClass:]:1091: failed \
         assertion `A command encoder is already encoding to this command buffer'",
    );
}

#[test]
fn a_commit_with_an_open_encoder() {
    assert_aborts(
        "commit",
        "-[IOGPUMetalCommandBuffer validate]:216: failed assertion `commit command buffer with \
         uncommitted encoder'",
    );
}

#[test]
fn a_second_commit() {
    assert_aborts(
        "double-commit",
        "-[IOGPUMetalCommandBuffer validate]:214: failed assertion `commit an already committed \
         command buffer'",
    );
}

#[test]
fn an_event_with_an_open_encoder() {
    assert_aborts(
        "event",
        "-[IOGPUMetalCommandBuffer encodeSignalEvent:value:]:426: failed assertion \
         `encodeSignalEvent:value: with uncommitted encoder'",
    );
    assert_aborts(
        "wait-event",
        "-[IOGPUMetalCommandBuffer encodeWaitForEvent:value:timeout:]:488: failed assertion \
         `encodeWaitForEvent:value: with uncommitted encoder'",
    );
}

#[test]
fn a_handler_after_the_commit() {
    assert_aborts(
        "handler",
        "-[_MTLCommandBuffer addCompletedHandler:]:1011: failed assertion `Completed handler \
         provided after commit call'",
    );
    assert_aborts(
        "scheduled-handler",
        "-[_MTLCommandBuffer addScheduledHandler:]:955: failed assertion `Scheduled handler \
         provided after commit call'",
    );
}

#[test]
fn an_encoder_after_the_commit() {
    assert_aborts(
        "encode-after-commit",
        "_status < MTLCommandBufferStatusCommitted at line 323 in -[IOGPUMetalCommandBuffer \
         setCurrentCommandEncoder:]",
    );
}

#[test]
fn an_encoder_dropped_open() {
    assert_aborts(
        "unended",
        "-[_MTLCommandEncoder dealloc]:131: failed assertion `Command encoder released without \
         endEncoding'",
    );
}
