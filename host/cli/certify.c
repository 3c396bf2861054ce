/* SPDX-License-Identifier: MIT */
/* certify.c - `certify`: runs the program beside this one that proves a connector. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/* As it is built, and as it is installed. */
static const char *const names[] = {"certify", "syncline-certify"};

int cmd_certify(struct cli *c)
{
    char self[4096];
    const char *config = NULL, *program = "";
    const struct option_row rows[] = {{"--config", &config, NULL}};
    if (cli_options(c, rows, 1) || cli_operands(c, 1, 1, "certify PLUGIN.so [--config FILE]"))
        return 2;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    fflush(NULL);
    for (size_t i = 0; slash && i < sizeof names / sizeof *names; i++) {
        program = arena_printf(&c->arena, "%.*s/%s", (int)(slash - self), self, names[i]);
        execl(program, program, c->argv[0], c->json ? "--json" : "--text", config ? "--config" : NULL, config,
              (char *)NULL);
    }
    return err_set(&c->err, ERR_CONFIG, "%s: cannot be run (%s); install it beside syncline", program, strerror(errno));
}
