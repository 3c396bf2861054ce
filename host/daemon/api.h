/* SPDX-License-Identifier: MIT */
/* api.h - /api/v1: which command a request is, and what its result is as HTTP. Pure. */
#ifndef DAEMON_API_H
#define DAEMON_API_H

#include "daemon/errand.h"
#include "daemon/request.h"

#define API_PATH "/api/v1/"
enum { API_BODY_MAX = 64 << 10, API_ROOM = 64, API_ANSWER_MS = 330000, API_DIGEST_BYTES = 32 };

/* What the API asks of whom it lets in. */
struct api_door {
    bool open; /* the config has a token */
    uint8_t digest[API_DIGEST_BYTES]; /* SHA-256 of it: the token itself is not in this process but in requests */
};

/* What is to be done for a request. */
struct api_call {
    const char *words[ERRAND_WORDS]; /* of a command; what the asker wrote is behind `--` or the value of an option */
    size_t n_words;
    const char *wake; /* instead: the pair that is to run now */
    int64_t deadline_ms;
    bool lengthy;
};
/*
 * True: out holds the call, in the arena. False: refusal holds the answer, whose text is in the arena: 403 the API is off or the request comes
 * from another site's page, 401 no or a wrong token, 404 no such route, 405, 415, 400 with the sentence.
 */
bool api_plan(const struct api_door *door, const struct request *r, struct arena *a, struct api_call *out,
              struct answer *refusal);

/* The answer to a command's result; its text is in out. */
struct answer api_answer(const struct errand_result *r, struct buf *out);
/* {"error": {"code": …, "message": …}} */
struct answer api_error(uint64_t number, unsigned status, const char *message, struct buf *out);
/* {"ok": true, "pair": …, "waits": false, "items": [], "messages": []} of a pair that will run now. */
struct answer api_woken(uint64_t number, const char *pair, struct buf *out);

#endif
