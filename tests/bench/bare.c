/* SPDX-License-Identifier: MIT */
/* bare.c - the least a client over libcurl's multi interface can do for N small GETs, C in flight: what the host's HTTP is measured against. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static size_t swallow(char *data, size_t one, size_t n, void *got)
{
    (void)data;
    *(size_t *)got += one * n;
    return one * n;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Takes in what is done and starts the next with the same handle. */
static unsigned long reap(CURLM *multi, unsigned long *left, unsigned long *good)
{
    int queued = 0;
    unsigned long done = 0;
    for (CURLMsg *m = curl_multi_info_read(multi, &queued); m; m = curl_multi_info_read(multi, &queued)) {
        CURL *easy = m->easy_handle;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        *good += m->data.result == CURLE_OK && status == 200;
        curl_multi_remove_handle(multi, easy);
        done++;
        if (*left > 0 && (*left)--)
            curl_multi_add_handle(multi, easy);
        else
            curl_easy_cleanup(easy);
    }
    return done;
}

/* bare URL N C: prints seconds and good answers. */
int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: bare URL N C\n", stderr);
        return 2;
    }
    unsigned long n = strtoul(argv[2], NULL, 10), c = strtoul(argv[3], NULL, 10), done = 0, good = 0;
    size_t got = 0;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    double from = now();
    c = c < n ? c : n;
    for (unsigned long i = 0; i < c; i++) {
        CURL *easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
        curl_multi_add_handle(multi, easy);
    }
    unsigned long left = n - c;
    while (done < n) {
        int running = 0;
        curl_multi_perform(multi, &running);
        unsigned long now_done = reap(multi, &left, &good);
        done += now_done;
        if (done < n && now_done == 0)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    printf("%.6f\t%lu\n", now() - from, good);
    curl_multi_cleanup(multi);
    curl_global_cleanup();
    return good == n ? 0 : 1;
}
