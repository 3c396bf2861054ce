/* SPDX-License-Identifier: MIT */
/* test_errand.c - commands carried out for somebody: begun at once, few at a time, ended when late or loud. The command is this very program. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "base/text.h"
#include "daemon/errand.h"

/* What became of each, by number. */
enum { NUMBERS = 64 };
static struct seen {
    int times, end, exit_code;
    char out[64];
} seen[NUMBERS];

static void tell(void *self, const struct errand_result *r)
{
    (void)self;
    struct seen *s = &seen[r->number];
    s->times++;
    s->end = r->end;
    s->exit_code = r->exit_code;
    snprintf(s->out, sizeof s->out, "%.*s", (int)r->n_out, r->out);
}

/* The other end: what the last word says. */
static int command(const char *word)
{
    if (strcmp(word, "hello") == 0)
        return puts("hello") < 0;
    if (strcmp(word, "three") == 0)
        return 3;
    if (strcmp(word, "dies") == 0)
        raise(SIGKILL);
    if (strcmp(word, "loud") == 0)
        for (;;)
            puts("0123456789012345678901234567890123456789012345678901234567890123456789");
    for (;;) /* "waits" */
        pause();
}

static struct errands *begin(void)
{
    memset(seen, 0, sizeof seen);
    return errands_new(tell, NULL);
}

static bool ask(struct errands *e, uint64_t number, const char *word, bool lengthy)
{
    const char *const words[] = {word};
    return errands_ask(e, &(struct errand_order){number, words, 1, 60000, lengthy});
}

static int64_t ahead_ms;

static void tend(struct errands *e)
{
    errands_tend(e, "c.json", -1, clock_boot_ms() + ahead_ms);
}

/* As the supervisor: its wait ends with SIGCHLD or the time. */
static void until_told(struct errands *e, uint64_t number)
{
    for (int i = 0; i < 6000 && !seen[number].times; i++) {
        tend(e);
        usleep(10000);
    }
    CU_ASSERT_EQUAL(seen[number].times, 1);
}

static void at_once(void)
{
    struct errands *e = begin();
    ahead_ms = 0;
    CU_ASSERT_EQUAL(errands_wait(e, 0), -1);
    CU_ASSERT_TRUE(ask(e, 1, "hello", false));
    CU_ASSERT_EQUAL(errands_wait(e, 0), 0); /* it may begin: nobody sleeps on it */
    tend(e);
    CU_ASSERT_TRUE(errands_wait(e, clock_boot_ms()) > 0);
    until_told(e, 1);
    CU_ASSERT_EQUAL(seen[1].end, ERRAND_RAN);
    CU_ASSERT_EQUAL(seen[1].exit_code, 0);
    CU_ASSERT_STRING_EQUAL(seen[1].out, "hello\n");
    CU_ASSERT_TRUE(ask(e, 2, "three", false));
    until_told(e, 2);
    CU_ASSERT_EQUAL(seen[2].exit_code, 3);
    CU_ASSERT_TRUE(ask(e, 3, "dies", false));
    until_told(e, 3);
    CU_ASSERT_EQUAL(seen[3].end, ERRAND_DIED);
    CU_ASSERT_EQUAL(errands_wait(e, 0), -1);
    errands_free(e);
}

static void few(void)
{
    struct errands *e = begin();
    ahead_ms = 0;
    for (uint64_t i = 0; i < 3; i++)
        CU_ASSERT_TRUE(ask(e, i, "waits", true));
    tend(e);
    CU_ASSERT_EQUAL(errands_running(e), ERRANDS_LONG_MAX);
    CU_ASSERT_TRUE(errands_wait(e, clock_boot_ms()) > 0); /* the third may not begin yet */
    for (uint64_t i = 3; i < 6; i++)
        CU_ASSERT_TRUE(ask(e, i, "waits", false));
    tend(e);
    CU_ASSERT_EQUAL(errands_running(e), ERRANDS_MAX);
    unsigned taken = 0;
    for (uint64_t i = 6; i < NUMBERS; i++)
        taken += ask(e, i, "waits", false);
    CU_ASSERT_EQUAL(taken, ERRANDS_WAIT - 2);
    errands_stop(e);
    for (int i = 0; i < 6000 && errands_running(e); i++) {
        tend(e);
        usleep(10000);
    }
    CU_ASSERT_EQUAL(errands_running(e), 0);
    CU_ASSERT_EQUAL(seen[0].end, ERRAND_STOPPED);
    errands_free(e);
}

static void late_or_loud(void)
{
    struct errands *e = begin();
    ahead_ms = 0;
    CU_ASSERT_TRUE(ask(e, 1, "loud", false));
    until_told(e, 1);
    CU_ASSERT_EQUAL(seen[1].end, ERRAND_LARGE);
    CU_ASSERT_STRING_EQUAL(seen[1].out, "");
    CU_ASSERT_TRUE(ask(e, 2, "waits", false));
    tend(e);
    ahead_ms = 61000;
    until_told(e, 2);
    CU_ASSERT_EQUAL(seen[2].end, ERRAND_LATE);
    errands_free(e);
}

static const struct check tests[] = {
    {"a command that may begin is begun at once, and how it ended is told", at_once},
    {"few run at once, fewer that take long, and the line is bounded", few},
    {"what is late or says too much is ended", late_or_loud},
};

int main(int argc, char **argv)
{
    if (argc > 1)
        return command(argv[argc - 1]);
    return check_run("errands", tests, sizeof tests / sizeof *tests);
}
