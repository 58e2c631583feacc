/*
 * The fix library's C interface: what it does in this process, in numbers.
 *
 * Every function may be called from any thread at any time, and none needs anything to be set up; look them up in the
 * process (dlsym with RTLD_DEFAULT, ctypes.CDLL(None)), where they are missing when the library is not loaded. Numbers are of this
 * process, and of its own life: a child of fork begins at zero. All of them count whatever the policy; what a policy does
 * not do stays zero.
 *
 * The functions with a version in their names are those of the published version 2.9, kept for programs that ask for them.
 * They return the same as those without one, under any policy.
 */
#ifndef AGX_FIX_H
#define AGX_FIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the library and of its sources, such as "0.1.0+9f86d081884c7d65". Never NULL, valid for good. */
const char *agx_fix_version(void);

/* Name of the policy in force, such as "v3"; where one was asked for that does not exist, what was asked for. Never NULL,
 * valid for good. */
const char *agx_fix_policy(void);

/* Methods that are hooked. */
uint64_t agx_fix_hook_count(void);

/* All of it as one JSON object: version, policy, enabled, armed, hooks, and every counter of the ledger by name under
 * "counters". Never NULL; valid until the calling thread calls it again or ends. */
const char *agx_fix_stats_json(void);

/* Outermost acquisitions of the lock. */
uint64_t agx_fix_get_acquisitions(void);

/* Acquisitions that had to wait. */
uint64_t agx_fix_get_contentions(void);

/* Encoders that were tracked and retained: handed out by factories, or adopted at their first call. */
uint64_t agx_fix_get_encoders_created(void);

/* Tracked encoders whose retain was given back. */
uint64_t agx_fix_get_encoders_released(void);

/* Work calls that were not made because the encoder's implementation was NULL: work is missing. */
uint64_t agx_fix_get_null_impl_skips(void);

/* Calls of hooked methods. */
uint64_t agx_fix_get_method_calls(void);

/* Releases that waited for the last call inside the encoder. */
uint64_t agx_fix_get_deferred_releases(void);

/* Encoders that the driver's command buffers handed out. */
uint64_t agx_fix_get_agx_encoder_creates(void);

/* Encoders that MPSCommandBuffer handed out. */
uint64_t agx_fix_get_mps_encoder_creates(void);

/* Encoders that were open at a commit and were ended by the library. */
uint64_t agx_fix_get_commit_forced_ends(void);

/* Commits. */
uint64_t agx_fix_get_commits_intercepted(void);

/* encodeSignalEvent: calls of any kind. */
uint64_t agx_fix_get_signal_events_intercepted(void);

/* encodeWaitForEvent: calls of any kind. */
uint64_t agx_fix_get_wait_events_intercepted(void);

/* Events that waited for an encoder that another thread had open. */
uint64_t agx_fix_get_event_encoder_waits(void);

/* Parallel render encoders handed out. */
uint64_t agx_fix_get_parallel_encoder_creates(void);

/* Waits for the lock longer than AGX_FIX_LOCK_WARN_MS; 0 without AGX_FIX_DEADLOCK_DETECT. */
uint64_t agx_fix_get_mutex_long_wait_warnings(void);

/* Waits for the lock longer than AGX_FIX_LOCK_TIMEOUT_MS; 0 without AGX_FIX_DEADLOCK_DETECT. */
uint64_t agx_fix_get_mutex_lock_timeouts(void);

/* The longest wait for the lock, in milliseconds; 0 without AGX_FIX_DEADLOCK_DETECT. */
uint64_t agx_fix_get_mutex_max_wait_ms(void);

/* Encoders that are retained now. */
size_t agx_fix_get_active_count(void);

/* Whether methods are hooked wherever a class to hook appears: not disabled, and the policy is known. */
bool agx_fix_is_enabled(void);

/* Whether AGX_FIX_DEADLOCK_DETECT is on. */
bool agx_fix_deadlock_detection_enabled(void);

/* Whether methods are hooked, and none was seen to have lost its hook. False before Metal's classes appear. */
bool agx_fix_verify_swizzle_active(void);

/* The class of compute encoders that is hooked, or NULL: none yet, or no ledger is kept. Valid for good. */
const char *agx_fix_get_encoder_class_name(void);

/* The class of command buffers that is hooked, or NULL: none yet, or no ledger is kept. Valid for good. */
const char *agx_fix_get_command_buffer_class_name(void);

/* The same under the names of the published version 2.9. */
uint64_t agx_fix_v2_9_get_acquisitions(void);
uint64_t agx_fix_v2_9_get_contentions(void);
uint64_t agx_fix_v2_9_get_encoders_created(void);
uint64_t agx_fix_v2_9_get_encoders_released(void);
uint64_t agx_fix_v2_9_get_null_impl_skips(void);
uint64_t agx_fix_v2_9_get_method_calls(void);
uint64_t agx_fix_v2_9_get_deferred_releases(void);
uint64_t agx_fix_v2_9_get_agx_encoder_creates(void);
uint64_t agx_fix_v2_9_get_mps_encoder_creates(void);
uint64_t agx_fix_v2_9_get_commit_forced_ends(void);
uint64_t agx_fix_v2_9_get_commits_intercepted(void);
uint64_t agx_fix_v2_9_get_signal_events_intercepted(void);
uint64_t agx_fix_v2_9_get_wait_events_intercepted(void);
uint64_t agx_fix_v2_9_get_event_encoder_waits(void);
uint64_t agx_fix_v2_9_get_parallel_encoder_creates(void);
uint64_t agx_fix_v2_9_get_mutex_long_wait_warnings(void);
uint64_t agx_fix_v2_9_get_mutex_lock_timeouts(void);
uint64_t agx_fix_v2_9_get_mutex_max_wait_ms(void);
size_t agx_fix_v2_9_get_active_count(void);
bool agx_fix_v2_9_is_enabled(void);
bool agx_fix_v2_9_deadlock_detection_enabled(void);
bool agx_fix_v2_9_verify_swizzle_active(void);
const char *agx_fix_v2_9_get_encoder_class_name(void);
const char *agx_fix_v2_9_get_command_buffer_class_name(void);

#ifdef __cplusplus
}
#endif

#endif
