/* Crashes for real: reads the given address, in this process or in a child of it.
 *
 *   crash_at [--in-child] [ADDRESS]
 *
 * 0x5c8 is the default because it is where the published crashes read: a member of an object whose pointer is NULL. With
 * --in-child the parent waits and returns 0, as a program does that loses a worker and says nothing about it.
 *
 * Exit codes: 2 usage, 3 the address could be read (nothing crashed), 4 no child could be made or waited for.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of its own, and not inlined, so that the report's first frame has a name to look for. */
__attribute__((noinline)) static int read_at(uintptr_t address)
{
    return *(volatile int *)address;
}

static int crash(uintptr_t address)
{
    int found = read_at(address);
    fprintf(stderr, "crash_at: %#jx can be read and holds %d\n", (uintmax_t)address, found);
    return 3;
}

static int crash_in_child(uintptr_t address)
{
    pid_t child = fork();
    if (child == 0) {
        _exit(crash(address));
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        fprintf(stderr, "crash_at: no child: %s\n", strerror(errno));
        return 4;
    }
    /* What became of it is the parent's secret. */
    printf("child=%ld\n", (long)child);
    return WIFSIGNALED(status) ? 0 : 3;
}

int main(int count, char **arguments)
{
    int in_child = count > 1 && strcmp(arguments[1], "--in-child") == 0;
    int rest = 1 + in_child;
    uintptr_t address = 0x5c8;
    if (count > rest + 1) {
        fprintf(stderr, "usage: crash_at [--in-child] [ADDRESS]\n");
        return 2;
    }
    if (count == rest + 1) {
        char *end = NULL;
        errno = 0;
        address = (uintptr_t)strtoumax(arguments[rest], &end, 0);
        if (errno != 0 || end == arguments[rest] || *end != '\0') {
            fprintf(stderr, "crash_at: `%s` is no address (hint: 0x5c8)\n", arguments[rest]);
            return 2;
        }
    }
    return in_child ? crash_in_child(address) : crash(address);
}
