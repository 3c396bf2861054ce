/* SPDX-License-Identifier: MIT */
/* main.c - certify PLUGIN.so [--config FILE]: each check in a process of its own, then what was proven. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core.h"
#include "base/json.h"
#include "base/log.h"
#include "certify.h"
#include "plugin/loader.h"

enum { SECONDS_MAX = 300 };

static const struct check *const tables[] = {
    checks_session, checks_describe, checks_pull,  checks_seen,  checks_version, checks_read,  checks_write,
    checks_values,  checks_safe,     checks_batch, checks_fault, checks_online,  checks_clean,
};

/* What a check's process leaves for this one. */
struct result {
    char said[600], note[200];
    bool ended, wrong, left;
    bool described;
    uint64_t caps; /* of the object */
};

struct tally {
    unsigned n_ok, n_failed, n_left;
    bool described, json;
    uint64_t declared, proven, failed;
};

static void run_check(const struct subject *j, const struct check *c, struct result *r)
{
    static struct trial t;
    t.subject = j;
    t.world = &session_real_world;
    if (!(c->flags & OFFLINE))
        trial_open(&t);
    r->caps = t.o.caps;
    r->described = t.o.name != NULL;
    if (!(c->flags & OFFLINE) && !can(&t, c->caps))
        left_out(&t, "not declared");
    if (!done(&t))
        c->run(&t);
    memcpy(r->said, t.said, sizeof r->said);
    memcpy(r->note, t.note, sizeof r->note);
    r->wrong = t.wrong;
    r->left = t.left;
    r->ended = true; /* before the cleaning up, in which a connector may still die: it then has a status */
    trial_close(&t);
}

/* Standard output is an empty file in there, so that it shows what a connector writes to it. */
static void child(const struct subject *j, const struct check *c, struct result *r)
{
    int out = memfd_create("stdout", MFD_CLOEXEC);
    setpgid(0, 0);
    if (out >= 0)
        dup2(out, 1);
    log_init(true, LOG_ERROR);
    alarm(SECONDS_MAX);
    run_check(j, c, r);
    fflush(NULL);
    _exit(0);
}

static void attempt(const struct subject *j, const struct check *c, struct result *r)
{
    int status = 0;
    memset(r, 0, sizeof *r);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        child(j, c, r);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (pid > 0)
        kill(-pid, SIGKILL); /* what it left running */
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && r->ended)
        return;
    r->wrong = true;
    r->left = false;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(r->said, sizeof r->said, "it has not come back after %d s", SECONDS_MAX);
    else if (WIFSIGNALED(status))
        snprintf(r->said, sizeof r->said, "the process died of %s", strsignal(WTERMSIG(status)));
    else
        snprintf(r->said, sizeof r->said, "the process ended with %d", WEXITSTATUS(status));
}

/* Known without a process, once an object was described. */
static bool applies(const struct subject *j, const struct check *c, const struct tally *sum)
{
    bool forgets = (c->flags & KEEPS) && j->own && j->own->forgets;
    bool offline = (c->flags & ONLINE) && !j->peer.pid;
    return !forgets && !offline && (!sum->described || (c->caps & sum->declared) == c->caps);
}

static void print_json(const struct check *c, const struct result *r)
{
    struct buf b = {0};
    buf_text(&b, "{\"check\": ");
    json_put_string(&b, c->name, strlen(c->name));
    buf_printf(&b, ", \"ok\": %s, \"proves\": ", r->wrong ? "false" : "true");
    json_put_string(&b, c->proves, strlen(c->proves));
    const char *more = r->wrong ? r->said : r->note;
    buf_text(&b, ", \"said\": ");
    json_put_string(&b, more, strlen(more));
    printf("%s}\n", b.data);
    buf_fini(&b);
}

static void print_text(const struct check *c, const struct result *r)
{
    const char *more = r->wrong ? r->said : r->note;
    printf("%s %-22s %s%s%s%s\n", r->wrong ? "FAIL" : "ok  ", c->name, c->proves,
           r->wrong  ? ": "
           : more[0] ? " ("
                     : "",
           more, !r->wrong && more[0] ? ")" : "");
}

/* What an operator is promised for each ability that is proven; the later ones build on the earlier. */
static const struct {
    uint64_t cap;
    const char *promise;
} guarantees[] = {
    {SL_CAP_CREATE, "records are created, whole"},
    {SL_CAP_UPDATE, "fields are changed, and no others"},
    {SL_CAP_DELETE, "records are deleted"},
    {SL_CAP_ARCHIVE, "records are put away"},
    {SL_CAP_COMPLETE, "a deletion is noticed by a whole listing"},
    {SL_CAP_DELTA, "a run reads only what changed"},
    {SL_CAP_DELETE_FEED, "a deletion is told at once"},
    {SL_CAP_GET, "a record is looked up before it counts as deleted"},
    {SL_CAP_FIND_CORRELATION, "a create whose reply was lost is found again"},
    {SL_CAP_FIND_KEY, "records are found by a field"},
    {SL_CAP_IDEMPOTENT, "a repeated create is one"},
    {SL_CAP_RESERVED_ID, "a repeated create is one"},
    {SL_CAP_CONDITIONAL, "an edit made meanwhile is not written over"},
    {SL_CAP_VERSION_ORDER, "an old read is known as old"},
};

enum { N_GUARANTEES = sizeof guarantees / sizeof *guarantees };

/* Of the abilities that a check uses, the one that it is about. */
static uint64_t blamed(uint64_t caps)
{
    for (size_t i = N_GUARANTEES; i-- > 0;)
        if (caps & guarantees[i].cap)
            return guarantees[i].cap;
    return 0;
}

/* What no check is about, nobody can prove. */
static uint64_t provable(uint64_t caps)
{
    uint64_t all = 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct check *c = tables[i]; c->name; c++)
            all |= blamed(c->caps);
    return caps & all;
}

static void report(const struct check *c, const struct result *r, struct tally *sum)
{
    sum->described |= r->described;
    sum->declared |= r->caps;
    if (r->wrong) {
        sum->n_failed++;
        sum->failed |= blamed(c->caps);
    } else if (r->left) {
        sum->n_left++;
    } else {
        sum->n_ok++;
        sum->proven |= blamed(c->caps);
    }
    if (r->wrong || !r->left)
        (sum->json ? print_json : print_text)(c, r);
}

static int tier(uint64_t caps)
{
    return caps & (SL_CAP_RESERVED_ID | SL_CAP_IDEMPOTENT) ? 1 : caps & SL_CAP_FIND_CORRELATION ? 2 : 3;
}

static void conclude(const struct sl_plugin *p, const struct tally *sum)
{
    static const char *const lost[] = {"", "it is repeated, and is the same create", "it is looked up by its key",
                                       "a person decides"};
    uint64_t proven = sum->declared & sum->proven & ~sum->failed;
    if (sum->json) {
        printf("{\"connector\": \"%s\", \"ok\": %u, \"failed\": %u, \"left\": %u, \"tier\": %d}\n", p->name, sum->n_ok,
               sum->n_failed, sum->n_left, tier(proven));
        return;
    }
    printf("\n%s %s: %u checks ok, %u failed, %u do not apply\n", p->name, p->version, sum->n_ok, sum->n_failed,
           sum->n_left);
    for (size_t i = 0; i < N_GUARANTEES; i++)
        if (sum->declared & guarantees[i].cap)
            printf("  %-18s %-21s %s\n", cap_name(guarantees[i].cap),
                   proven & guarantees[i].cap        ? "proven"
                   : sum->failed & guarantees[i].cap ? "declared, NOT PROVEN"
                                                     : "declared, not tested",
                   proven & guarantees[i].cap ? guarantees[i].promise : "");
    printf("tier: %d declared, %d proven (the reply to a create is lost: %s)\n", tier(sum->declared), tier(proven),
           lost[tier(proven)]);
}

/* Beside the binary, for the host; where that cannot be written certify has still done what it is for. */
static void keep_proof(const char *so, const struct sl_plugin *p, const struct tally *sum)
{
    struct err e = {0};
    if (sum->described && proof_write(so, p->version, provable(sum->declared), sum->proven & ~sum->failed, &e))
        fprintf(stderr, "certify: %s\n", e.text);
}

static int run_all(const char *so, const struct subject *j, bool json)
{
    struct tally sum = {.json = json};
    struct result *r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct check *c = tables[i]; c->name; c++) {
            if (!applies(j, c, &sum)) {
                sum.n_left++;
                continue;
            }
            attempt(j, c, r);
            report(c, r, &sum);
        }
    conclude(j->plugin, &sum);
    keep_proof(so, j->plugin, &sum);
    munmap(r, sizeof *r);
    return sum.n_failed ? 1 : 0;
}

static int certify(const char *so, const char *config, bool json)
{
    struct plugin_lib *lib = NULL;
    struct subject j = {0};
    struct arena a = {0};
    struct err e = {0};
    struct conf *conf = NULL;
    int rc = 2;
    if (plugin_load(so, &lib, &e) == 0)
        conf = given_conf(so, config, plugin_declared(lib), &a, &j, &e);
    if (e.code)
        fprintf(stderr, "certify: %s\n", e.text);
    else
        rc = run_all(so, &j, json);
    conf_free(conf);
    given_fini(&j);
    arena_fini(&a);
    plugin_unload(lib);
    return rc;
}

int main(int argc, char **argv)
{
    const char *so = NULL, *config = NULL;
    bool usage = argc < 2, json = false;
    core_refuse();
    log_init(isatty(2) != 0, LOG_ERROR);
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            config = argv[++i];
        else if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--text") == 0)
            json = argv[i][2] == 'j';
        else if (argv[i][0] == '-' || so)
            usage = true;
        else
            so = argv[i];
    if (usage || !so) {
        fputs("usage: certify PLUGIN.so [--config FILE] [--json | --text]\n", stderr);
        return 2;
    }
    return certify(so, config, json);
}
