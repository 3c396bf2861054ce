/* SPDX-License-Identifier: MIT */
/* main.c - the simulated peer: `peer PROFILE [PORT]` serves on loopback until its standard input ends. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

int64_t peer_now_ms(const struct peer *p)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + p->ahead_ms;
}

/* As README.md has them; a test compares. */
static void tell_knobs(void)
{
    static const char *const scopes[] = {
        [SCOPE_TRAIT] = "always",  [SCOPE_ANY] = "any call",  [SCOPE_LIST] = "a list",   [SCOPE_WRITE] = "a write",
        [SCOPE_BATCH] = "a batch", [SCOPE_TOKEN] = "a token", [SCOPE_HOOK] = "a webhook"};
    for (int i = 0; i < N_KNOBS; i++)
        printf("| %s | %s | %s | %lld | %s |\n", knobs[i].name, knobs[i].fault, scopes[knobs[i].scope],
               (long long)knobs[i].usual, knobs[i].what);
}

int main(int argc, char **argv)
{
    struct peer p = {.profile = profile_find(argc > 1 ? argv[1] : "generic"), .next_id = 1, .random = 1};
    if (argc == 2 && is(argv[1], "--knobs")) {
        tell_knobs();
        return 0;
    }
    if (!p.profile || argc > 3) {
        fprintf(stderr, "peer: give a profile and perhaps a port: peer generic 8080; the profiles are:");
        for (size_t i = 0; profiles[i].name; i++)
            fprintf(stderr, " %s", profiles[i].name);
        fprintf(stderr, "\n");
        return 2;
    }
    p.oauth = oauth_new();
    if (wire_run(&p, argc > 2 ? atoi(argv[2]) : 0, STDIN_FILENO)) {
        fprintf(stderr, "peer: the port is taken; give another, or 0 for any\n");
        return 1;
    }
    fflush(stdout);
    _exit(0); /* its records end with the process */
}
