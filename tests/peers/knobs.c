/* SPDX-License-Identifier: MIT */
/* knobs.c - every fault the peer can produce, as one table, and when it strikes. */
#include <string.h>

#include "peer.h"

/* clang-format off */
const struct knob knobs[N_KNOBS] = {
    [KNOB_NEEDS_TOKEN] = {"credentials are needed", "-", SCOPE_TRAIT, 1, "401 without a token that it gave out or was told of"},
    [KNOB_LATENCY] = {"answers take their time", "F34", SCOPE_TRAIT, 50, "milliseconds before each answer"},
    [KNOB_RATE] = {"requests a second", "F21", SCOPE_TRAIT, 10, "more are 429 with Retry-After; x-ratelimit headers tell"},
    [KNOB_SMALL_PAGES] = {"small pages", "F5", SCOPE_TRAIT, 2, "records a page at most, whatever was asked"},
    [KNOB_SMALL_BATCHES] = {"small batches", "F4", SCOPE_TRAIT, 3, "records a batch at most; more are 413"},
    [KNOB_SECONDS] = {"times of one second", "F7", SCOPE_TRAIT, 1, ""},
    [KNOB_MINUTES] = {"times of one minute", "F7", SCOPE_TRAIT, 1, ""},
    [KNOB_SKEW] = {"its clock is ahead or behind", "F9", SCOPE_TRAIT, 3600000, "milliseconds, in records and the Date header"},
    [KNOB_ZONE] = {"times in another zone", "F10", SCOPE_TRAIT, 1, "+02:00 instead of Z"},
    [KNOB_NO_VERSIONS] = {"no versions", "F11", SCOPE_TRAIT, 1, "no ETag; If-Match is not looked at"},
    [KNOB_NO_TIMES] = {"no times", "F10", SCOPE_TRAIT, 1, "records do not tell when they changed"},
    [KNOB_OTHER_ORDER] = {"another order", "F5", SCOPE_TRAIT, 1, "lists by id backwards"},
    [KNOB_DELETE_FEED] = {"deletes told in the feed", "F23", SCOPE_TRAIT, 1, "a list since a time holds {id, deleted: true}"},
    [KNOB_INDEX_LAG] = {"the index lags", "F8", SCOPE_TRAIT, 1000, "lists and look-ups are as of so many milliseconds ago"},
    [KNOB_STALE] = {"stale reads", "F11 F12", SCOPE_TRAIT, 1000, "reads of one record are as of so many milliseconds ago"},
    [KNOB_TRIMS] = {"trims", "F13", SCOPE_TRAIT, 1, "texts lose blanks at both ends"},
    [KNOB_LOWERS] = {"lower case", "F13", SCOPE_TRAIT, 1, "texts are stored so"},
    [KNOB_TRUNCATES] = {"truncates", "F13", SCOPE_TRAIT, 10, "texts to so many bytes"},
    [KNOB_ESCAPES] = {"escapes", "F13", SCOPE_TRAIT, 1, "& < > as in HTML"},
    [KNOB_ROUNDS] = {"rounds", "F13", SCOPE_TRAIT, 100, "whole numbers down to a multiple"},
    [KNOB_NO_RECORD] = {"answers without the record", "F13", SCOPE_TRAIT, 1, "a write's answer holds the id only"},
    [KNOB_NOT_STORED] = {"a field is not stored", "F14", SCOPE_TRAIT, 0, "the field of this name; 200 all the same"},
    [KNOB_REWRITES] = {"a workflow rewrites a field", "F15", SCOPE_TRAIT, 0, "after each write the field of this name is `kept by a workflow`"},
    [KNOB_KEYS_FORGOTTEN] = {"idempotency keys are forgotten", "F1", SCOPE_TRAIT, 1000, "after so many milliseconds instead of a day"},
    [KNOB_HIDDEN] = {"the permission is withdrawn", "F24", SCOPE_TRAIT, 100, "for so many of a hundred records: 404, and in no list"},
    [KNOB_REORDERS] = {"outcomes in another order", "F4", SCOPE_TRAIT, 1, "of a batch: backwards"},
    [KNOB_HOOKS] = {"webhooks", "F16", SCOPE_TRAIT, 1, "every change is told, signed, to whoever asks /_peer/hooks"},
    [KNOB_REPLY_LOST] = {"the reply is lost", "F2", SCOPE_WRITE, 0, "the effect, and no answer"},
    [KNOB_REQUEST_LOST] = {"the request is lost", "F2", SCOPE_WRITE, 0, "no effect, no answer"},
    [KNOB_LATE] = {"the request arrives late", "F3", SCOPE_WRITE, 1000, "no answer; the effect so many milliseconds later"},
    [KNOB_HALF_BATCH] = {"half a batch", "F4", SCOPE_BATCH, 0, "the first half takes effect, no answer"},
    [KNOB_OUTCOME_OUT] = {"an outcome is left out", "F4", SCOPE_BATCH, 0, "the last one"},
    [KNOB_5XX_AFTER] = {"5xx after the effect", "F22", SCOPE_WRITE, 500, "this status"},
    [KNOB_429_WRITE] = {"429 for a write", "F21", SCOPE_WRITE, 1, "no effect; Retry-After of so many seconds"},
    [KNOB_REFUSED] = {"a write is refused", "F20", SCOPE_WRITE, 422, "this status, no effect"},
    [KNOB_5XX] = {"5xx", "F22", SCOPE_ANY, 503, "this status, no effect"},
    [KNOB_429] = {"429", "F21", SCOPE_ANY, 1, "Retry-After of so many seconds"},
    [KNOB_429_BARE] = {"429 without a header", "F21", SCOPE_ANY, 0, ""},
    [KNOB_401] = {"401", "F19", SCOPE_ANY, 0, "whatever the credentials"},
    [KNOB_403] = {"403", "F20", SCOPE_ANY, 0, "whatever the credentials"},
    [KNOB_NO_ANSWER] = {"no answer comes", "F1", SCOPE_ANY, 0, "until the asker hangs up: for who is killed meanwhile; 1: no effect"},
    [KNOB_NO_CONTENT] = {"an answer without content", "F33 F36", SCOPE_ANY, 0, "200 and an empty body"},
    [KNOB_NO_JSON] = {"an answer that is no JSON", "F36", SCOPE_ANY, 0, "200 and a page of a proxy"},
    [KNOB_EMPTY_LIST] = {"an empty listing", "F23", SCOPE_LIST, 0, "200, and nothing in it"},
    [KNOB_HALF_LIST] = {"half a listing", "F23", SCOPE_LIST, 0, "200, the first half of the page, and no next one"},
    [KNOB_REPEATS] = {"rows repeated between pages", "F5", SCOPE_LIST, 0, "the row before the page is in it too"},
    [KNOB_SKIPS] = {"rows skipped between pages", "F5", SCOPE_LIST, 0, "the page's first row is left out"},
    [KNOB_SHIFTS] = {"pages of different orders", "F5", SCOPE_LIST, 0, "this page is of the list backwards"},
    [KNOB_PAGE_AGAIN] = {"a page comes again", "F5", SCOPE_LIST, 0, "the first page instead of the one asked for"},
    [KNOB_PAGE_MISSING] = {"a page is missing", "F5", SCOPE_LIST, 0, "the one after the one asked for"},
    [KNOB_CURSOR_EXPIRES] = {"the cursor expires", "F6", SCOPE_LIST, 400, "this status to whoever asks for a next page"},
    [KNOB_CIRCLE] = {"pages in a circle", "F6", SCOPE_LIST, 0, "the next page is this one"},
    [KNOB_DRIFT] = {"drift between pages", "F5", SCOPE_LIST, 0, "after the page the first record is deleted by somebody"},
    [KNOB_TOKEN_EXPIRES] = {"the token expires", "F19", SCOPE_ANY, 0, "so do all others given out"},
    [KNOB_TOKEN_LOST] = {"the token answer is lost", "F19", SCOPE_TOKEN, 0, "tokens are rotated, and no answer"},
    [KNOB_REFRESH_REVOKED] = {"the refresh token is revoked", "F20", SCOPE_TOKEN, 0, "all of them; invalid_grant"},
    [KNOB_HOOK_TWICE] = {"a webhook comes twice", "F16", SCOPE_HOOK, 0, "the same delivery"},
    [KNOB_HOOK_ORDER] = {"webhooks in another order", "F16", SCOPE_HOOK, 0, "this one before the one before it"},
    [KNOB_HOOK_AGAIN] = {"an old webhook comes again", "F16", SCOPE_HOOK, 0, "the first one, after this one"},
    [KNOB_HOOK_FORGED] = {"a webhook is forged", "F17", SCOPE_HOOK, 0, "another record's delete, not signed with the secret, after this one"},
    [KNOB_HOOK_LOST] = {"a webhook is lost", "F18", SCOPE_HOOK, 0, ""},
};
/* clang-format on */

static uint64_t draw(struct peer *p)
{
    uint64_t z = p->random += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

bool struck(struct peer *p, int knob)
{
    struct knob_state *k = &p->knobs[knob];
    k->seen++;
    bool now = k->nth && k->seen >= k->nth && k->seen < k->nth + k->times;
    if (!now && k->of_1000)
        now = (int64_t)(draw(p) % 1000) < k->of_1000;
    k->struck += now;
    return now;
}

int64_t trait(const struct peer *p, int knob)
{
    return p->knobs[knob].value;
}

const char *trait_text(const struct peer *p, int knob)
{
    return p->knobs[knob].text;
}

static void off(struct knob_state *k)
{
    mem_free(k->text);
    *k = (struct knob_state){.struck = k->struck};
}

void knobs_off(struct peer *p)
{
    for (int i = 0; i < N_KNOBS; i++)
        off(&p->knobs[i]);
}

static int64_t whole(const struct json *node, const char *member, int64_t usual)
{
    const struct json *n = json_get(node, member);
    int64_t value = usual;
    if (n && !json_int(n, &value))
        value = usual;
    return value;
}

static const char *set_one(struct knob_state *k, const struct knob *row, const struct json *node)
{
    int64_t n = 0;
    off(k);
    if (json_type(node) == JSON_STRING && row->scope == SCOPE_TRAIT) {
        k->text = mem_dup(json_text(node, NULL));
    } else if (json_type(node) == JSON_OBJECT && row->scope != SCOPE_TRAIT) {
        k->of_1000 = whole(node, "of_1000", 0);
        k->nth = whole(node, "nth", k->of_1000 ? 0 : 1);
        k->times = whole(node, "times", 1);
        k->value = whole(node, "value", row->usual);
    } else if (json_type(node) == JSON_BOOL && json_bool(node)) {
        k->value = row->usual;
        k->nth = k->times = row->scope != SCOPE_TRAIT;
    } else if (json_int(node, &n)) {
        k->value = row->scope == SCOPE_TRAIT ? n : row->usual;
        k->nth = row->scope == SCOPE_TRAIT ? 0 : n;
        k->times = 1;
    } else if (json_type(node) != JSON_BOOL) {
        return row->name;
    }
    return NULL;
}

const char *knobs_set(struct peer *p, const struct json *root)
{
    for (const struct json *n = json_first(root); n; n = json_next(n)) {
        int64_t seed = 0;
        int i = 0;
        if (is(json_key(n), "seed") && json_int(n, &seed)) {
            p->random = (uint64_t)seed;
            continue;
        }
        while (i < N_KNOBS && !is(knobs[i].name, json_key(n)))
            i++;
        if (i == N_KNOBS)
            return json_key(n);
        const char *wrong = set_one(&p->knobs[i], &knobs[i], n);
        if (wrong)
            return wrong;
    }
    return NULL;
}
