/* SPDX-License-Identifier: MIT */
/* test_hooks_disk.c - hints of webhooks on a broken or full disk: an error and nothing lost, or they are durable. */
#include <errno.h>

#include "base/log.h"
#include "disk_kit.h"
#include "store/hooks.h"

enum { DONE = 0, REFUSED = 1, NOT_REACHED = 2, FAULTY = 3, CALLS_MOST = 1000 };
static const int64_t t0 = 1700000000000;

static int put_one(struct hooks *h, const char *id, struct err *e)
{
    struct hook_hint hint = {"tickets", 0, id};
    struct hash128 delivery = hash128(id, strlen(id));
    return hooks_put(h, &hint, 1, &delivery, 1, t0, e);
}

/* In a process of its own: the first is there before the fault, the second comes with it. */
static int suffer(const struct disk_plan *plan)
{
    struct err e = {0};
    struct hooks *h = hooks_open(root);
    if (put_one(h, "first", &e))
        return FAULTY;
    disk_begin(plan);
    int rc = put_one(h, "second", &e);
    if (rc && (!strstr(e.text, "hooks") || strchr(e.text, '\n')))
        return FAULTY;
    if (!disk_refused()[0])
        return rc ? FAULTY : NOT_REACHED;
    hooks_close(h);
    return rc ? REFUSED : DONE;
}

static bool waits(struct hooks *h, const char *id)
{
    struct hook_waiting rows[10];
    struct arena a = {0};
    struct err e = {0};
    size_t n = 0;
    bool there = false;
    CU_ASSERT_EQUAL(hooks_waiting(h, "tickets", &a, rows, 10, &n, &e), 0);
    for (size_t i = 0; i < n; i++)
        there |= strcmp(rows[i].id, id) == 0;
    arena_fini(&a);
    return there;
}

static bool seen(struct hooks *h, const char *id)
{
    struct err e = {0};
    bool yes = false;
    CU_ASSERT_EQUAL(hooks_seen(h, hash128(id, strlen(id)), t0, &yes, &e), 0);
    return yes;
}

/* The next process, on a good disk: hint and delivery are there together or not at all, and it goes on. */
static void judge(int end)
{
    struct err e = {0};
    struct hooks *h = hooks_open(root);
    CU_ASSERT_TRUE(waits(h, "first") && seen(h, "first"));
    CU_ASSERT_EQUAL(waits(h, "second"), seen(h, "second"));
    CU_ASSERT_TRUE(end == REFUSED || waits(h, "second"));
    CU_ASSERT_EQUAL(put_one(h, "third", &e), 0);
    CU_ASSERT_TRUE(waits(h, "third"));
    hooks_close(h);
}

static void refuse_each(int error, bool on)
{
    int end = DONE, n_refused = 0;
    for (unsigned long at = 1; at < CALLS_MOST && (end == DONE || end == REFUSED); at++) {
        struct disk_plan plan = {.roots = {root}, .n_roots = 1, .at = at, .error = error, .on = on};
        int status = 0;
        disk_new();
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0)
            _exit(suffer(&plan));
        waitpid(pid, &status, 0);
        end = WIFEXITED(status) ? WEXITSTATUS(status) : FAULTY;
        if (end == DONE || end == REFUSED)
            judge(end);
        n_refused += end == REFUSED;
    }
    CU_ASSERT_EQUAL(end, NOT_REACHED);
    CU_ASSERT_TRUE(n_refused > 0);
    scratch_remove();
}

static void broken_disk(void)
{
    refuse_each(EIO, false);
    refuse_each(EIO, true);
}

static void full_disk(void)
{
    refuse_each(ENOSPC, false);
    refuse_each(ENOSPC, true);
}

static const struct check tests[] = {
    {"I22: each call of a put refused by a broken disk: a sentence, no hint lost, none acknowledged in vain (F40)",
     broken_disk},
    {"I22: likewise by a full disk (F37)", full_disk},
};

int main(void)
{
    log_init(false, LOG_ERROR);
    return check_run("hints on a failing disk", tests, sizeof tests / sizeof *tests);
}
