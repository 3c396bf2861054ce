/* SPDX-License-Identifier: MIT */
/* test_metrics.c - the metrics page is read by the letter of the format; what a connection and a schedule tell of themselves. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "base/file.h"
#include "base/text.h"
#include "daemon/board.h"
#include "daemon/metrics.h"
#include "store/shared.h"

/* --- a strict reader of format 0.0.4 --- */

struct page {
    char family[80], type[16]; /* of the lines that are being read */
    bool helped;
    const char *families[200];
    size_t n_families;
    const char *series[4000]; /* a name with its labels */
    size_t n_series;
    const char *wrong; /* NULL: nothing so far */
    struct arena a;
};

static void wrong(struct page *p, const char *what, const char *line)
{
    if (!p->wrong)
        p->wrong = arena_printf(&p->a, "%s: %s", what, line);
}

static size_t name_bytes(const char *at)
{
    size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789");
    return n && !strchr("0123456789", *at) ? n : 0;
}

/* Behind the labels, or NULL. */
static const char *read_labels(const char *at)
{
    if (*at != '{')
        return at;
    for (at++; *at != '}';) {
        size_t n = name_bytes(at);
        at += n;
        if (!n || at[0] != '=' || at[1] != '"')
            return NULL;
        for (at += 2; *at != '"'; at++) {
            if (*at == '\\' && !strchr("\\\"n", *++at))
                return NULL;
            if (!*at || *at == '\n')
                return NULL;
        }
        at++;
        if (*at == ',')
            at++;
        else if (*at != '}')
            return NULL;
    }
    return at + 1;
}

static bool seen(const char *const *list, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], what) == 0)
            return true;
    return false;
}

static void read_comment(struct page *p, const char *line)
{
    char name[80], type[16];
    if (sscanf(line, "# HELP %79s", name) == 1) {
        if (seen(p->families, p->n_families, name))
            wrong(p, "a family twice", line);
        p->families[p->n_families++] = arena_text(&p->a, name);
        strcpy(p->family, name);
        p->helped = true;
        if (strncmp(name, "syncline_", 9) != 0 || strlen(line) < strlen(name) + 12)
            wrong(p, "no such name or no help", line);
    } else if (sscanf(line, "# TYPE %79s %15s", name, type) == 2) {
        if (!p->helped || strcmp(name, p->family) != 0)
            wrong(p, "a type without its help", line);
        if (!strstr(" counter gauge histogram summary ", arena_printf(&p->a, " %s ", type)))
            wrong(p, "no such type", line);
        if ((strcmp(type, "counter") == 0) != (strlen(name) > 6 && strcmp(name + strlen(name) - 6, "_total") == 0))
            wrong(p, "counters, and only they, end in _total", line);
        strcpy(p->type, type);
        p->helped = false;
    } else {
        wrong(p, "neither help nor type", line);
    }
}

static bool suffix_suits(const struct page *p, const char *suffix)
{
    if (strcmp(p->type, "histogram") == 0)
        return seen((const char *const[]){"_bucket", "_sum", "_count"}, 3, suffix);
    if (strcmp(p->type, "summary") == 0)
        return seen((const char *const[]){"_sum", "_count"}, 2, suffix);
    return !*suffix;
}

static void read_sample(struct page *p, const char *line)
{
    size_t n = name_bytes(line);
    const char *name = arena_dup(&p->a, line, n), *after = read_labels(line + n);
    char *end = NULL;
    if (!n || !after || *after != ' ') {
        wrong(p, "no sample", line);
        return;
    }
    const char *series = arena_dup(&p->a, line, (size_t)(after - line));
    if (strncmp(name, p->family, strlen(p->family)) != 0 || !suffix_suits(p, name + strlen(p->family)))
        wrong(p, "not of the family above it", line);
    if (seen(p->series, p->n_series, series))
        wrong(p, "a series twice", line);
    p->series[p->n_series++] = series;
    strtod(after + 1, &end);
    if (end == after + 1 || *end || strstr(after, "nan"))
        wrong(p, "no number", line);
}

static struct page *read_page(struct buf *text)
{
    struct page *p = mem_alloc(sizeof *p);
    if (text->size == 0 || text->data[text->size - 1] != '\n')
        wrong(p, "the last line does not end", "");
    for (char *line = text->data, *end = NULL; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (*line == '#')
            read_comment(p, line);
        else
            read_sample(p, line);
    }
    return p;
}

static void free_page(struct page *p)
{
    arena_fini(&p->a);
    mem_free(p);
}

static double value(const struct page *p, struct buf *text, const char *series)
{
    const char *at = text->data, *end = text->data + text->size;
    (void)p;
    for (; at < end; at += strlen(at) + 1)
        if (strncmp(at, series, strlen(series)) == 0 && at[strlen(series)] == ' ')
            return strtod(at + strlen(series), NULL);
    return -1;
}

/* --- the page --- */

static void take_runs(struct figures *f, const char *pair, int64_t ms, const char *error)
{
    struct run_report run = {.run = "01M8PZ49SJRX9VE52Q2A11PPAC", .ok = !error, .seen = 3, .ms = ms};
    struct status_counts counts = {.parked = 1, .pending = 2, .in_step = 9};
    struct figures_report r = {pair, &run, &counts, error};
    struct buf text = {0};
    struct figures_news news;
    struct err e = {0};
    figures_put_report(&text, &r);
    CU_ASSERT_EQUAL(figures_take(f, text.data, text.size, 100000, &news, &e), 0);
    buf_fini(&text);
}

static const char *const odd_names[] = {"plain",  "with \"quotes\"", "back\\slash", "two\nlines",
                                        "brace}", "a,b=\"c\"",       "Ünï 改"};
enum { N_ODD = sizeof odd_names / sizeof *odd_names };

static void by_the_letter(void)
{
    struct figures f = {0};
    int64_t ago[N_ODD];
    struct metrics_connection c[N_ODD + 1] = {{.name = "folder", .runner_deaths = 7, .parked = true}};
    struct metrics_host host = {.pairs = N_ODD, .memory_bytes = 1 << 20, .cpu_ms = 1234, .started_s = 1700000000};
    for (int i = 0; i < N_ODD; i++) {
        ago[i] = -1;
        c[i + 1] = (struct metrics_connection){
            .name = odd_names[i], .known = true, .view = {.per_minute = 400, .limit = 100, .left = i}};
    }
    figures_set(&f, odd_names, ago, N_ODD, 0);
    for (int i = 0; i < N_ODD; i++)
        take_runs(&f, odd_names[i], INT64_C(1) << (4 * i), i % 2 ? "it broke" : NULL);
    for (size_t i = 0; i < f.n_pairs; i++)
        f.pairs[i].due_ms = i ? 99000 : INT64_MAX;
    f.pairs[1].running = true;
    struct buf text = {0};
    metrics_put(&f, &host, c, N_ODD + 1, 100500, &text);
    struct page *p = read_page(&text);
    CU_ASSERT_PTR_NULL(p->wrong);
    if (p->wrong)
        printf("    %s\n", p->wrong);
    CU_ASSERT(p->n_families >= 30);
    CU_ASSERT_EQUAL(value(p, &text, "syncline_pair_parked{pair=\"two\\nlines\"}"), 1);
    CU_ASSERT_EQUAL(value(p, &text, "syncline_pair_pending{pair=\"plain\"}"), 2);
    CU_ASSERT_EQUAL(value(p, &text, "syncline_pair_failing{pair=\"with \\\"quotes\\\"\"}"), 1);
    CU_ASSERT_EQUAL(value(p, &text, "syncline_pair_failing{pair=\"plain\"}"), 0);
    CU_ASSERT_EQUAL(value(p, &text, "syncline_connection_budget_left{connection=\"back\\\\slash\"}"), 2);
    CU_ASSERT_EQUAL(value(p, &text, "syncline_connection_up{connection=\"folder\"}"), -1); /* nothing is known of it */
    CU_ASSERT_EQUAL(value(p, &text, "syncline_connection_runner_deaths_total{connection=\"folder\"}"), 7);
    CU_ASSERT_EQUAL(value(p, &text, "syncline_connection_parked{connection=\"folder\"}"), 1);
    CU_ASSERT_EQUAL(value(p, &text, "syncline_connection_parked{connection=\"plain\"}"), 0);
    /* a histogram's buckets only grow, and the last is its count */
    CU_ASSERT_EQUAL(value(p, &text, "syncline_run_seconds_bucket{le=\"0.005\"}"), 1);
    CU_ASSERT_EQUAL(value(p, &text, "syncline_run_seconds_bucket{le=\"0.025\"}"), 2);
    CU_ASSERT_EQUAL(value(p, &text, "syncline_run_seconds_bucket{le=\"1800\"}"), N_ODD - 1);
    CU_ASSERT_EQUAL(value(p, &text, "syncline_run_seconds_bucket{le=\"+Inf\"}"), N_ODD);
    CU_ASSERT_EQUAL(value(p, &text, "syncline_run_seconds_count"), N_ODD);
    free_page(p);
    buf_fini(&text);
    figures_fini(&f);
}

/* The reader above is worth something: it refuses each of these. */
static void the_reader_is_strict(void)
{
    static const char *const pages[] = {
        "# HELP syncline_x It is.\n# TYPE syncline_x gauge\nsyncline_x 1\nsyncline_x 2\n",
        "# HELP syncline_x It is.\n# TYPE syncline_x gauge\nsyncline_y 1\n",
        "# TYPE syncline_x gauge\nsyncline_x 1\n",
        "# HELP syncline_x It is.\n# TYPE syncline_x counter\nsyncline_x 1\n",
        "# HELP syncline_x It is.\n# TYPE syncline_x gauge\nsyncline_x{p=\"a\"b\"} 1\n",
        "# HELP syncline_x It is.\n# TYPE syncline_x gauge\nsyncline_x{p=\"a\\q\"} 1\n",
        "# HELP syncline_x It is.\n# TYPE syncline_x gauge\nsyncline_x{p=\"a\"} one\n",
        "# HELP syncline_x It is.\n# TYPE syncline_x gauge\nsyncline_x{p=\"a\"} 1",
        "# HELP other_x It is.\n# TYPE other_x gauge\nother_x 1\n",
    };
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        struct buf text = {0};
        buf_text(&text, pages[i]);
        struct page *p = read_page(&text);
        CU_ASSERT_PTR_NOT_NULL(p->wrong);
        free_page(p);
        buf_fini(&text);
    }
}

/* --- connections --- */

enum { SECOND_US = 1000000 };

static void budget_of_a_connection(void)
{
    struct rate r;
    struct rate_view v;
    struct rate_signs told = {.wait_ms = -1, .limit = 100, .remaining = 40, .reset_ms = 30000},
                      nothing = {-1, -1, -1, -1};
    rate_init(&r, 600, SECOND_US);
    CU_ASSERT_TRUE(rate_look(&r, SECOND_US, &v));
    CU_ASSERT_EQUAL(v.left, -1);
    CU_ASSERT_EQUAL(v.per_minute, 597);
    rate_spend(&r, SECOND_US);
    rate_count(&r, RATE_WELL, &told, 0, SECOND_US);
    rate_spend(&r, 2 * SECOND_US);
    rate_count(&r, RATE_FAULT, &nothing, 5 * SECOND_US, 2 * SECOND_US);
    CU_ASSERT_TRUE(rate_look(&r, 3 * SECOND_US, &v));
    CU_ASSERT_EQUAL(v.left, 39); /* what left since counts */
    CU_ASSERT_EQUAL(v.limit, 100);
    CU_ASSERT_EQUAL(v.resets_ms, 28000);
    CU_ASSERT_EQUAL(v.down_ms, 4000);
    CU_ASSERT_EQUAL(v.sent, 2);
    CU_ASSERT_EQUAL(v.outcomes[RATE_FAULT], 1);
    CU_ASSERT_TRUE(rate_look(&r, 31 * SECOND_US, &v));
    CU_ASSERT_EQUAL(v.left, 100); /* the window is over */
    CU_ASSERT_EQUAL(v.down_ms, 0);
    rate_count(&r, RATE_WELL, &nothing, 0, 3 * SECOND_US);
    rate_look(&r, 3 * SECOND_US, &v);
    CU_ASSERT_EQUAL(v.down_ms, 0); /* a good answer closes it */
    rate_join(&r, 300, 40 * SECOND_US); /* another limit is no other history */
    rate_look(&r, 40 * SECOND_US, &v);
    CU_ASSERT_EQUAL(v.sent, 2);
    CU_ASSERT_FALSE(rate_look(&r, 0, &v)); /* of another run of the machine */
    memset(&r, 0xFF, sizeof r);
    CU_ASSERT_FALSE(rate_look(&r, SECOND_US, &v));
}

static void looked_at_without_waiting(void)
{
    char folder[] = "/tmp/syncline-look-XXXXXX";
    struct rate bytes;
    struct rate_view v;
    struct arena a = {0};
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    CU_ASSERT_FALSE(shared_look(folder, "desk", &bytes, sizeof bytes));
    struct shared *s = shared_open(folder, "desk", sizeof bytes);
    struct rate *held = shared_lock(s);
    CU_ASSERT_PTR_NOT_NULL_FATAL(held);
    rate_init(held, 60, 5);
    CU_ASSERT_TRUE(shared_look(folder, "desk", &bytes, sizeof bytes)); /* while somebody has it */
    CU_ASSERT_TRUE(rate_look(&bytes, 5, &v));
    shared_unlock(s);
    shared_close(s);
    const char *pipe = arena_printf(&a, "%s/shared/pipe", folder), *desk = arena_printf(&a, "%s/shared/desk", folder);
    mkfifo(pipe, 0600);
    CU_ASSERT_FALSE(shared_look(folder, "pipe", &bytes, sizeof bytes)); /* nor does a pipe hold it up */
    unlink(pipe);
    unlink(desk);
    rmdir(arena_printf(&a, "%s/shared", folder));
    rmdir(folder);
    arena_fini(&a);
}

/* --- the board --- */

static void board_of_a_schedule(void)
{
    char state[] = "/tmp/syncline-board-XXXXXX";
    static const struct schedule_want wants[] = {{"one", 60000, 0, -1}, {"two", 0, 0, -1}, {"three", 1000, 0, -1}};
    struct schedule *s = schedule_new(1);
    struct board b = {.fd = -1};
    struct board_row row;
    struct buf lines = {0};
    struct arena a = {0};
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(state));
    board_read(state, &lines);
    CU_ASSERT_FALSE(board_find(&lines, 0, "one", &row));
    schedule_set(s, wants, 3, 1000);
    board_set(&b, state, s, wants, 3);
    board_read(state, &lines);
    for (size_t likely = 0; likely < 5; likely++) {
        CU_ASSERT_TRUE(board_find(&lines, likely, "three", &row));
        CU_ASSERT_EQUAL(row.due_ms, schedule_find(s, "three")->due_ms);
        CU_ASSERT_FALSE(row.running);
    }
    CU_ASSERT_TRUE(board_find(&lines, 1, "two", &row));
    CU_ASSERT_EQUAL(row.due_ms, INT64_MAX);
    CU_ASSERT_FALSE(board_find(&lines, 0, "four", &row));
    struct schedule_unit *u = schedule_take(s, 70000);
    const char *name = arena_text(&a, u->name);
    board_put(&b, u);
    buf_clear(&lines);
    board_read(state, &lines);
    CU_ASSERT_TRUE(board_find(&lines, 0, name, &row) && row.running && row.since_ms == 70000);
    schedule_done(s, u, SCHEDULE_FAILED, 71000);
    board_put(&b, u);
    buf_clear(&lines);
    board_read(state, &lines);
    CU_ASSERT_TRUE(board_find(&lines, 0, name, &row) && !row.running && row.failures == 1 && row.due_ms > 71000);
    board_close(&b);
    buf_fini(&lines);
    unlink(arena_printf(&a, "%s/daemon.pairs", state));
    rmdir(state);
    arena_fini(&a);
    schedule_free(s);
}

static const struct check tests[] = {
    {"every line of the metrics page is by the letter, whatever pairs are called", by_the_letter},
    {"a page that is not is refused by that reader", the_reader_is_strict},
    {"a connection's budget, pauses and outcomes", budget_of_a_connection},
    {"a look at a connection waits for nobody", looked_at_without_waiting},
    {"the board tells when each pair runs", board_of_a_schedule},
};
CHECK_MAIN("metrics", tests)
