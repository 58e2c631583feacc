/*
 * The rehearsal driver's C interface: what a program without an Objective-C compiler (Python through ctypes, say) drives the
 * driver with. Every function sends real Objective-C messages, so hooks on the classes see them.
 *
 * Threads: as Metal's contract says. Devices, queues, pipelines, buffers and events are for every thread; a command buffer and
 * its encoders are for one thread at a time. No function checks its arguments: a dead object crashes, as it would in Metal.
 *
 * Ownership: *_create, agx_rehearsal_command_buffer and agx_rehearsal_mps_command_buffer return a reference that the caller
 * gives back with agx_rehearsal_release. An encoder is its command buffer's: it is valid until it has ended.
 */
#ifndef AGX_REHEARSAL_H
#define AGX_REHEARSAL_H

#include <stddef.h>
#include <stdint.h>

typedef void *agx_object;

/* Before the first device is made. Faults: none, any (the default), impl, setBuffer, dispatch, prepare, spill, bind, uaf,
 * page-fault, allocator, submission, unowned; README.md says what each is. Returns 0, or -1 for an unknown name. */
int agx_rehearsal_set_fault(const char *name);
/* Seeds the lengths of the windows in which the faults strike. The scheduler still decides which thread strikes. */
void agx_rehearsal_set_seed(uint64_t seed);

/* NULL where the classes could not be registered; stderr then says why. */
agx_object agx_rehearsal_device_create(void);
agx_object agx_rehearsal_queue_create(agx_object device);
/* tag: what a dispatch's threads are multiplied with in the checksum. */
agx_object agx_rehearsal_pipeline_create(agx_object device, uint64_t tag);
/* length in bytes; the buffer has no memory behind it. */
agx_object agx_rehearsal_buffer_create(agx_object device, size_t length);
agx_object agx_rehearsal_event_create(agx_object device);
uint64_t agx_rehearsal_event_value(agx_object event);

agx_object agx_rehearsal_command_buffer(agx_object queue);
/* An MPSCommandBuffer around a new command buffer; it forwards, so every function below takes it. */
agx_object agx_rehearsal_mps_command_buffer(agx_object queue);
agx_object agx_rehearsal_compute_encoder(agx_object command_buffer);
agx_object agx_rehearsal_blit_encoder(agx_object command_buffer);

void agx_rehearsal_set_pipeline(agx_object encoder, agx_object pipeline);
void agx_rehearsal_set_buffer(agx_object encoder, agx_object buffer, size_t offset, size_t index);
void agx_rehearsal_set_bytes(agx_object encoder, const void *bytes, size_t length, size_t index);
void agx_rehearsal_use_resource(agx_object encoder, agx_object resource, size_t usage);
/* A dispatch adds tag * threads + offset + bytes to the checksum: the pipeline's tag, the last buffer offset bound, and the first
 * four bytes last set, little-endian. */
void agx_rehearsal_dispatch_threads(agx_object encoder, size_t threads);
/* groups of 32 threads */
void agx_rehearsal_dispatch_threadgroups(agx_object encoder, size_t groups);
/* `count` dispatches of 64 threads; number i binds the buffer at offset first + i and sets the four bytes of first + i. */
void agx_rehearsal_encode(agx_object encoder, agx_object pipeline, agx_object buffer, uint32_t first, uint32_t count);
/* A blit: counts as one dispatch, adds offset + length * value to the checksum. */
void agx_rehearsal_fill_buffer(agx_object encoder, agx_object buffer, size_t offset, size_t length, uint8_t value);
void agx_rehearsal_end_encoding(agx_object encoder);

void agx_rehearsal_signal_event(agx_object command_buffer, agx_object event, uint64_t value);
void agx_rehearsal_wait_event(agx_object command_buffer, agx_object event, uint64_t value);
/* The function is called once, from the queue's thread. */
void agx_rehearsal_add_scheduled_handler(agx_object command_buffer, void (*function)(agx_object, void *), void *context);
void agx_rehearsal_add_completed_handler(agx_object command_buffer, void (*function)(agx_object, void *), void *context);
void agx_rehearsal_commit(agx_object command_buffer);
void agx_rehearsal_wait(agx_object command_buffer);

/* `command_buffers` times: make, encode `dispatches` (the i-th command buffer's first is first + i), end, commit, wait, release. */
void agx_rehearsal_submit(agx_object queue, agx_object pipeline, agx_object buffer, uint32_t first, uint32_t dispatches,
                          uint32_t command_buffers);

agx_object agx_rehearsal_retain(agx_object object);
void agx_rehearsal_release(agx_object object);

/* Counted when a command buffer completes, over all queues of the process. */
uint64_t agx_rehearsal_executed(void);
uint64_t agx_rehearsal_checksum(void);
uint64_t agx_rehearsal_completed(void);
/* Objects alive; -1 on Apple's runtime, where they are not counted. */
int64_t agx_rehearsal_live_objects(void);

/* --- What the scenarios of the published failures need besides. --- */

/* An encoder of computeCommandEncoderWithDispatchType:substreamCount:, a factory that no published fix library hooks. */
agx_object agx_rehearsal_private_compute_encoder(agx_object command_buffer);
/* Encoders of those kinds; see agx_rehearsal_encoder. */
agx_object agx_rehearsal_render_encoder(agx_object command_buffer);
agx_object agx_rehearsal_resource_state_encoder(agx_object command_buffer);
/* An MTLToolsCommandBuffer, as validation and capture put around the driver's: it makes a wrapped compute encoder, commits and waits.
 * The wrapped encoder takes set_buffer, dispatch_threadgroups, update_fence and end_encoding. Both are the caller's to release. */
agx_object agx_rehearsal_tools_command_buffer(agx_object queue);
agx_object agx_rehearsal_tools_compute_encoder(agx_object tools_command_buffer);
/* updateFence:. One command; a compute encoder adds 0x10001 to the checksum, a blit encoder 0x20003. */
void agx_rehearsal_update_fence(agx_object encoder, agx_object fence);
/* Encoders by their kind: 0 compute, 1 blit, 2 render, 3 parallel render, 4 resource state, 5 acceleration structure, 6 sampled compute,
 * 7 sampled render, 8 debug. NULL for another number. */
agx_object agx_rehearsal_encoder(agx_object command_buffer, int kind);
/* Work for such an encoder. With a pipeline's tag T, it adds to dispatches and checksum: compute and sampled compute 1 and 64 T + 2 n;
 * blit 2 and 2 n + 203; render and sampled render 4 and 192 T + 10 n + 0x4001c; parallel render twice that, by two encoders of its
 * own; resource state 3 and 2 n + 0x90099; acceleration structure 2 and n + 0x102c1; debug 1 and 0x5000f. */
void agx_rehearsal_work(agx_object encoder, int kind, agx_object pipeline, agx_object buffer, uint32_t n);
/* setBuffers:offsets:withRange: from index 0 on; it sends setBuffer:offset:atIndex: for each. */
void agx_rehearsal_set_buffers(agx_object encoder, const agx_object *buffers, const size_t *offsets, size_t count);
/* setVertexBuffer:offset:atIndex: of a render encoder; the last offset bound is added to the checksum of each draw. */
void agx_rehearsal_set_vertex_buffer(agx_object encoder, agx_object buffer, size_t offset, size_t index);
/* computeCommandEncoderWithDispatchType:, of which MPSCommandBuffer has a method of its own. */
agx_object agx_rehearsal_compute_encoder_with_dispatch_type(agx_object command_buffer, size_t dispatch_type);
/* commitAndContinue of an MPSCommandBuffer, which goes on in a new command buffer. */
void agx_rehearsal_commit_and_continue(agx_object mps_command_buffer);
/* Has the function called from a point of the driver, with the object whose method has come there, on its thread: 0 endEncoding of an
 * encoder, before its command buffer lets go of it; 1 commit of a command buffer, before it is validated. NULL takes the function
 * away. Returns 0, or -1 for a point that there is not. */
int agx_rehearsal_observe(int point, void (*function)(agx_object, void *), void *context);
/* An MTLCommandBufferStatus: 4 completed, 5 completed with an error. */
size_t agx_rehearsal_status(agx_object command_buffer);
/* Encoders alive, those that wait in a device's pool included. Waits until every committed command buffer is let go. */
int64_t agx_rehearsal_live_encoders(void);
/* Command buffers that ended with a GPU page fault. */
uint64_t agx_rehearsal_gpu_faults(void);

/* --- Recorders: every dumped method without a modelled behaviour, and with AGX_REHEARSAL_RECORD=1 in the environment when the
 * driver is loaded, the modelled ones too. Only what the runtime itself needs (dealloc, retain, ...) never has one. --- */

/* What was sent and what arrived, both ways. A value fills whole words; the rest of its last one is zero. Equal on both sides, or
 * something between the sender and the method lost it. Values follow from class, selector and seed; pointers, objects and the
 * receiver differ from process to process. */
struct agx_rehearsal_record {
    uint32_t calls;          /* how often the method was reached: 1 */
    uint32_t others;         /* how often other recorded methods were, meanwhile */
    uint32_t argument_words; /* receiver, selector, and what follows */
    uint32_t result_words;
    uint64_t sent[64];
    uint64_t received[64];
    uint64_t returned[16];
    uint64_t result[16];
};

size_t agx_rehearsal_recorded_methods(void);
/* Class, selector and type encoding of method number `index`; 0, or -1 where there is none. */
int agx_rehearsal_recorded_method(size_t index, const char **class_name, const char **selector, const char **encoding);
/* Sends the method to a fresh instance of exactly this class, which is never deallocated. Objects in it are alive, pointers lead to
 * readable zeros, an _impl is not NULL. 0; -1 where the method has no recorder, -2 where its encoding cannot be passed. */
int agx_rehearsal_send(const char *class_name, const char *selector, uint64_t seed, struct agx_rehearsal_record *out);

#endif
