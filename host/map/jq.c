/* SPDX-License-Identifier: MIT */
/* jq.c - the one libjq door: compiled expressions over records, with exact numbers and a deadline. */
#define jq_compile libjq_compile /* libjq has a function of our name; only its jq_compile_args is used here */
#include <jq.h>
#undef jq_compile

#include "map/jq.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/json.h"
#include "base/text.h"
#include "map/scan.h"

#define DEADLINE_S 1
#define SAFE_INTEGER (INT64_C(1) << 53)
#define TEXT_BYTES_MAX 300
#define ABANDONED_MAX 8

struct jq_expr {
    jq_state *state; /* NULL: was abandoned, to be compiled again */
    const char *program;
    int n_abandoned;
    struct arena arena; /* the scan's names */
    struct scan scan;
    jv *keys; /* keys[i]: scan.names[i] as libjq wants it */
    struct err *report; /* where a compile's message goes */
    long n_lines; /* of the program */
};

/*
 * Some of libjq 1.6's own functions abort, overrun or never return on data they do not expect, inside one call that no deadline
 * reaches. These definitions stand before the program and shadow them; what a program does not use is dropped by the compiler.
 */
static const char prelude[] =
    /* "text" * number copies byte by byte for as long as it takes */
    "def _times($a;$b):_multiply($a;$b);"
    "def _length:if type==\"string\" then utf8bytelength elif type==\"number\" then . else null end;"
    "def _multiply(a;b):b as $b|a as $a|"
    "if ($a|type)!=($b|type) and ($a|_length)!=null and ($b|_length)!=null and ($a|_length)*($b|_length)>1000000 "
    "then error(\"a repeated text would be longer than 1000000 bytes\") else _times($a;$b) end;"
    /* index("") never ends; in a list, what is compared is never freed */
    "def _indices($i):indices($i);def indices($i):if $i==\"\" then null elif type==\"array\" then . as $a|"
    "if ($i|type)==\"array\" then ($i|length) as $n|[range(0;length-$n+1)|select($n>0 and $a[.:.+$n]==$i)] "
    "else [range(0;length)|select($a[.]==$i)] end else _indices($i) end;"
    "def index($i):indices($i)|.[0];def rindex($i):indices($i)|.[-1:][0];"
    /* neither is a text that is trimmed by what is no text */
    "def _ltrimstr($t):ltrimstr($t);def ltrimstr($t):if ($t|type)==\"string\" then _ltrimstr($t) else . end;"
    "def _rtrimstr($t):rtrimstr($t);def rtrimstr($t):if ($t|type)==\"string\" then _rtrimstr($t) else . end;"
    /* a number that is no time aborts the process */
    "def _time(f):if type==\"number\" then f else . end;"
    "def _strftime($f):strftime($f);def strftime($f):_time(gmtime)|_strftime($f);"
    "def _strflocaltime($f):strflocaltime($f);def strflocaltime($f):_time(localtime)|_strflocaltime($f);"
    "def todateiso8601:strftime(\"%Y-%m-%dT%H:%M:%SZ\");def todate:todateiso8601;"
    /* an empty match steps by bytes, into the middle of a character and past the end */
    "def _match($r;$m):match($r;$m);"
    "def match(r;m):r as $r|m as $m|if type==\"string\" and ($m|type)==\"string\" and ($m|contains(\"g\")) and "
    "length!=utf8bytelength "
    "and (\"\"|test($r;$m)) then error(\"a pattern that can match nothing is not possible with g on text beyond "
    "ASCII\") "
    "else _match($r;$m) end;"
    "def match($v):if ($v|type)==\"array\" then match($v[0];$v[1]) else match($v;null) end;"
    "def _named:reduce (.captures[]|select(.name!=null)|{(.name):.string}) as $p ({};.+$p);"
    "def capture(r;m):match(r;m)|_named;def capture($v):match($v)|_named;"
    "def scan(r):match(r;\"g\")|if (.captures|length)>0 then [.captures[].string] else .string end;"
    "def splits($r;f):. as $s|[match($r;\"g\"+f)|(.offset,.offset+.length)]|[0]+.+[$s|length]|_nwise(2)|$s[.[0]:.[1]];"
    "def splits($r):splits($r;null);def split($r;f):[splits($r;f)];";

/*
 * The deadline. libjq 1.6 has no step limit, but looks at its halted flag before every instruction, and jq_halt only stores
 * three words: it may be called from a signal handler. So a timer of this process's own running time halts the program.
 * What a single C function of libjq does is not interrupted, only what follows it.
 */
static jq_state *volatile running;

static void halt_running(int number)
{
    jq_state *state = running;
    (void)number;
    if (state && !jq_halted(state))
        jq_halt(state, jv_null(), jv_null());
}

static void prepare_deadline(void)
{
    struct sigaction action = {.sa_handler = halt_running, .sa_flags = SA_RESTART};
    sigset_t set;
    sigemptyset(&action.sa_mask);
    sigaction(SIGVTALRM, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGVTALRM);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void begin_deadline(jq_state *state)
{
    /* Repeats: the first one may fall into jq_start, which clears the flag. */
    struct itimerval timer = {.it_value = {.tv_sec = DEADLINE_S}, .it_interval = {.tv_usec = 100000}};
    running = state;
    setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

static void end_deadline(void)
{
    struct itimerval timer = {.it_value = {0}};
    setitimer(ITIMER_VIRTUAL, &timer, NULL);
    running = NULL;
}

/* One line of at most TEXT_BYTES_MAX bytes, not cut inside a character. */
static const char *one_line(struct arena *a, const char *text)
{
    size_t n = strlen(text);
    if (n > TEXT_BYTES_MAX) {
        for (n = TEXT_BYTES_MAX; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
            n--;
    }
    char *line = arena_dup(a, text, n);
    for (char *p = line; *p; p++) {
        if ((unsigned char)*p < 0x20)
            *p = ' ';
    }
    return line;
}

/* --- records in --- */

/* True if a double gives the same amount back; else the number enters as its text. */
static bool double_holds(const char *text, size_t n_bytes, double d)
{
    size_t n_digits = 0;
    for (size_t i = 0; i < n_bytes && text[i] != 'e' && text[i] != 'E'; i++)
        n_digits += text[i] >= '0' && text[i] <= '9';
    if (!isfinite(d) || (d == floor(d) && fabs(d) > (double)SAFE_INTEGER))
        return false;
    if (n_digits <= 15 && fabs(d) > 1e-290)
        return true;
    char printed[32];
    snprintf(printed, sizeof(printed), "%.17g", d);
    struct sl_value exact = {.type = SL_DECIMAL, .text = text, .text_size = n_bytes};
    struct sl_value held = {.type = SL_DECIMAL, .text = printed, .text_size = strlen(printed)};
    return value_equal(&exact, &held);
}

static jv text_in(const char *text, size_t n_bytes)
{
    return jv_string_sized(text ? text : "", (int)n_bytes);
}

static jv number_in(const char *text, size_t n_bytes)
{
    char *end = NULL;
    char room[64];
    if (n_bytes >= sizeof(room))
        return text_in(text, n_bytes);
    memcpy(room, text, n_bytes);
    room[n_bytes] = '\0';
    double d = strtod(room, &end);
    return *end == '\0' && double_holds(room, n_bytes, d) ? jv_number(d) : text_in(text, n_bytes);
}

static jv integer_in(int64_t n)
{
    if (n >= -SAFE_INTEGER && n <= SAFE_INTEGER)
        return jv_number((double)n);
    return jv_string_fmt("%lld", (long long)n);
}

static jv node_in(const struct json *node)
{
    size_t n = 0;
    const char *text = json_text(node, &n);
    int type = json_type(node);
    if (text)
        return type == JSON_NUMBER ? number_in(text, n) : text_in(text, n);
    if (type == JSON_BOOL)
        return jv_bool(json_bool(node));
    if (type == JSON_NULL)
        return jv_null();
    jv out = type == JSON_LIST ? jv_array() : jv_object();
    for (const struct json *child = json_first(node); child; child = json_next(child)) {
        if (type == JSON_LIST)
            out = jv_array_append(out, node_in(child));
        else
            out = jv_object_set(out, jv_string(json_key(child)), node_in(child));
    }
    return out;
}

static jv json_in(const struct sl_value *v)
{
    struct err ignored = {0};
    struct json_doc *doc = json_parse(v->text, v->text_size, NULL, &ignored);
    jv out = doc ? node_in(json_root(doc)) : text_in(v->text, v->text_size);
    json_free(doc);
    return out;
}

static jv time_in(const struct sl_value *v)
{
    char text[32];
    if (v->type == SL_DATE)
        date_format(v->number, text);
    else
        timestamp_format(v->number, v->grain_ms, text);
    return jv_string(text);
}

static jv value_in(const struct sl_value *v)
{
    jv out = jv_null();
    switch (v->type) {
    case SL_BOOL:
        return jv_bool(v->number != 0);
    case SL_INT:
        return integer_in(v->number);
    case SL_DECIMAL:
        return number_in(v->text, v->text_size);
    case SL_DATE:
    case SL_TIMESTAMP:
        return time_in(v);
    case SL_STRING:
    case SL_ENUM:
    case SL_REF:
        return text_in(v->text, v->text_size);
    case SL_SET:
        out = jv_array();
        for (uint32_t i = 0; i < v->n_items; i++)
            out = jv_array_append(out, value_in(sl_value_at(v->items, v->item_size, i)));
        return out;
    case SL_JSON:
        return json_in(v);
    default:
        return out;
    }
}

static jv record_in(const struct jq_expr *x, const struct sl_record *r)
{
    jv out = jv_object();
    if (x->scan.whole) {
        if (r->id)
            out = jv_object_set(out, jv_string("id"), jv_string(r->id));
        for (uint32_t i = 0; i < r->n_fields; i++) {
            const struct sl_value *v = sl_value_at(r->fields, r->field_size, i);
            if (v->type != SL_ABSENT)
                out = jv_object_set(out, jv_string(v->name), value_in(v));
        }
        return out;
    }
    for (size_t i = 0; i < x->scan.n_names; i++) {
        const struct sl_value *v = record_field(r, x->scan.names[i]);
        if (v && v->type != SL_ABSENT)
            out = jv_object_set(out, jv_copy(x->keys[i]), value_in(v));
        else if (r->id && strcmp(x->scan.names[i], "id") == 0)
            out = jv_object_set(out, jv_copy(x->keys[i]), jv_string(r->id));
    }
    return out;
}

/* --- results out --- */

static int number_out(double d, struct arena *a, struct sl_value *out, struct err *e)
{
    if (!isfinite(d))
        return err_set(e, ERR_INPUT,
                       "expression: the result is not a finite number; check what it divides by or parses");
    if (d == floor(d) && fabs(d) <= (double)SAFE_INTEGER) {
        *out = value_int(NULL, (int64_t)d);
        return 0;
    }
    char text[32];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof(text), "%.*g", precision, d);
        if (strtod(text, NULL) == d)
            break;
    }
    out->type = SL_DECIMAL;
    out->text = arena_text(a, text);
    out->text_size = strlen(text);
    return 0;
}

static int string_out(const char *text, size_t n_bytes, struct arena *a, struct sl_value *out, struct err *e)
{
    if (memchr(text, '\0', n_bytes))
        return err_set(e, ERR_INPUT, "expression: the result holds a NUL character; remove it, no field can hold one");
    out->type = SL_STRING;
    out->text = arena_dup(a, text, n_bytes);
    out->text_size = n_bytes;
    return 0;
}

/* Takes result. Lists and objects go out as sorted compact text and through the guard, as any other JSON. */
static int container_out(jv result, struct arena *a, struct sl_value *out, struct err *e)
{
    jv dump = jv_dump_string(result, JV_PRINT_SORTED);
    size_t n = (size_t)jv_string_length_bytes(jv_copy(dump));
    struct err why = {0};
    struct json_doc *doc = json_parse(jv_string_value(dump), n, NULL, &why);
    if (doc && string_out(jv_string_value(dump), n, a, out, e) == 0)
        out->type = SL_JSON;
    if (!doc)
        err_set(e, ERR_INPUT, "expression: the result is no JSON a field can hold: %s; make it smaller or flatter",
                one_line(a, why.text));
    json_free(doc);
    jv_free(dump);
    return out->type == SL_JSON ? 0 : ERR_INPUT;
}

static int error_out(jv message, struct arena *a, struct err *e)
{
    jv text = jv_get_kind(message) == JV_KIND_STRING ? message : jv_dump_string(message, 0);
    int rc = err_set(e, ERR_INPUT, "expression: %s; correct the record or let the expression allow for it",
                     one_line(a, jv_string_value(text)));
    jv_free(text);
    return rc;
}

/* Takes result. */
static int result_out(jv result, struct arena *a, struct sl_value *out, struct err *e)
{
    int rc = 0;
    *out = value_absent(NULL);
    switch (jv_get_kind(result)) {
    case JV_KIND_INVALID:
        if (jv_invalid_has_msg(jv_copy(result)))
            return error_out(jv_invalid_get_msg(result), a, e);
        break;
    case JV_KIND_NULL:
        *out = value_null(NULL);
        break;
    case JV_KIND_TRUE:
    case JV_KIND_FALSE:
        *out = value_bool(NULL, jv_get_kind(result) == JV_KIND_TRUE);
        break;
    case JV_KIND_NUMBER:
        rc = number_out(jv_number_value(result), a, out, e);
        break;
    case JV_KIND_STRING:
        rc = string_out(jv_string_value(result), (size_t)jv_string_length_bytes(jv_copy(result)), a, out, e);
        break;
    case JV_KIND_ARRAY:
    case JV_KIND_OBJECT:
        return container_out(result, a, out, e);
    }
    jv_free(result);
    return rc;
}

/* --- compile --- */

/* libjq: "jq: error: WHAT (Unix shell quoting issues?) at <top-level>, line N:" and the whole program; keeps WHAT and N less our first line. */
static void note_message(void *data, jv message)
{
    static const char lead[] = "jq: error: ", place[] = " at <top-level>, line ";
    struct jq_expr *x = data;
    const char *text = jv_get_kind(message) == JV_KIND_STRING ? jv_string_value(message) : "it does not compile";
    if (strncmp(text, lead, strlen(lead)) == 0)
        text += strlen(lead);
    const char *at = strstr(text, place);
    size_t n = at ? (size_t)(at - text) : strcspn(text, "\n");
    const char *aside = strstr(text, " (Unix shell quoting");
    if (aside && (size_t)(aside - text) < n)
        n = (size_t)(aside - text);
    const char *what = one_line(&x->arena, arena_dup(&x->arena, text, n));
    long line = at ? strtol(at + strlen(place), NULL, 10) - 1 : 0;
    if (line > x->n_lines)
        err_set(x->report, ERR_CONFIG,
                "expression: it ends before it is complete; correct it (the language is jq 1.6)");
    else if (line > 0)
        err_set(x->report, ERR_CONFIG, "expression, line %ld: %s; correct it (the language is jq 1.6)", line, what);
    else
        err_set(x->report, ERR_CONFIG, "expression: %s; correct it (the language is jq 1.6)", what);
    jv_free(message);
}

static void no_memory(void *data)
{
    (void)data;
    mem_exhausted();
}

/* The program stands on lines of its own in brackets, so that a comment at its end hides nothing of ours. */
static int compile(struct jq_expr *x, struct err *e)
{
    struct buf text = {0};
    buf_text(&text, prelude);
    buf_text(&text, x->scan.uses_now ? ".[1] as $now|.[0]|" : "");
    buf_text(&text, x->scan.paths ? "first(\n" : "(\n");
    buf_text(&text, x->program);
    buf_text(&text, "\n)");
    x->state = jq_init();
    if (!x->state)
        mem_exhausted();
    /* libjq would abort. Only its very first allocations come before this. */
    jq_set_nomem_handler(x->state, no_memory, NULL);
    x->report = e;
    x->n_lines = 1;
    for (const char *p = x->program; *p; p++)
        x->n_lines += *p == '\n';
    int ok = 0;
    if (x->state) {
        jq_set_error_cb(x->state, note_message, x);
        ok = jq_compile_args(x->state, text.data, jv_object());
        jq_set_error_cb(x->state, NULL, NULL);
    }
    buf_fini(&text);
    return ok ? 0 : err_set(e, ERR_CONFIG, "expression: jq does not take it; correct it (the language is jq 1.6)");
}

/* --- run --- */

/*
 * libjq 1.6 asserts that no path expression is half done when a program is started again or freed. What is halted inside
 * one can only be left lying; a few times, then the expression is refused.
 */
static int give_up(struct jq_expr *x, struct err *e)
{
    if (x->scan.paths) {
        x->state = NULL;
        x->n_abandoned++;
    } else {
        jq_start(x->state, jv_null(), 0); /* lets go of what the endless program piled up */
    }
    return err_set(e, ERR_INPUT, "expression: it ran longer than %d s on this record; bound its loops", DEADLINE_S);
}

static int make_ready(struct jq_expr *x, struct err *e)
{
    if (x->state)
        return 0;
    if (x->n_abandoned >= ABANDONED_MAX)
        return err_set(e, ERR_INPUT, "expression: it ran longer than %d s on %d records; bound its loops", DEADLINE_S,
                       ABANDONED_MAX);
    return compile(x, e);
}

/* Out: the first output, to be freed; invalid if there is none. */
static int run(struct jq_expr *x, const struct sl_record *r, int64_t now_ms, jv *out, struct err *e)
{
    if (make_ready(x, e))
        return ERR_INPUT;
    jv input = record_in(x, r);
    if (x->scan.uses_now)
        input = JV_ARRAY(input, jv_number((double)now_ms / 1000.0));
    begin_deadline(x->state);
    jq_start(x->state, input, 0);
    *out = jq_next(x->state);
    if (x->scan.paths && jv_is_valid(*out))
        jv_free(jq_next(x->state)); /* first() has no second output: this ends its path expressions */
    end_deadline();
    if (!jq_halted(x->state))
        return 0;
    jv_free(*out);
    return give_up(x, e);
}

int jq_value(struct jq_expr *x, const struct sl_record *r, int64_t now_ms, struct arena *a, struct sl_value *out,
             struct err *e)
{
    jv result;
    *out = value_absent(NULL);
    if (run(x, r, now_ms, &result, e))
        return ERR_INPUT;
    return result_out(result, a, out, e);
}

int jq_true(struct jq_expr *x, const struct sl_record *r, int64_t now_ms, bool *out, struct err *e)
{
    jv result;
    *out = false;
    if (run(x, r, now_ms, &result, e))
        return ERR_INPUT;
    jv_kind kind = jv_get_kind(result);
    *out = kind != JV_KIND_INVALID && kind != JV_KIND_NULL && kind != JV_KIND_FALSE;
    if (kind != JV_KIND_INVALID || !jv_invalid_has_msg(jv_copy(result))) {
        jv_free(result);
        return 0;
    }
    struct arena scratch = {0};
    int rc = error_out(jv_invalid_get_msg(result), &scratch, e);
    arena_fini(&scratch);
    return rc;
}

int jq_compile(const char *program, struct jq_expr **out, struct err *e)
{
    struct jq_expr *x = mem_alloc(sizeof(*x));
    *out = NULL;
    prepare_deadline();
    x->program = arena_text(&x->arena, program);
    int rc = scan_program(program, &x->arena, &x->scan, e);
    if (!rc)
        rc = compile(x, e);
    if (rc) {
        jq_free(x);
        return rc;
    }
    x->keys = arena_alloc(&x->arena, (x->scan.n_names + 1) * sizeof(*x->keys));
    for (size_t i = 0; i < x->scan.n_names; i++)
        x->keys[i] = jv_string(x->scan.names[i]);
    *out = x;
    return 0;
}

void jq_free(struct jq_expr *x)
{
    if (!x)
        return;
    for (size_t i = 0; x->keys && i < x->scan.n_names; i++)
        jv_free(x->keys[i]);
    if (x->state)
        jq_teardown(&x->state);
    arena_fini(&x->arena);
    mem_free(x);
}
