/* SPDX-License-Identifier: MIT */
/* sim_shrink.c - makes a history shorter while the same invariant breaks, and prints it to be read. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

static bool breaks(const struct sim_script *s, const char *invariant)
{
    struct sim_stats none = {0};
    char about[240];
    const char *broken = sim_play(s, false, &none, about);
    return broken && strcmp(broken, invariant) == 0;
}

/* Takes steps out, many at a time, then fewer. */
static bool drop_steps(struct sim_script *s, const char *invariant)
{
    bool shorter = false;
    for (size_t n = s->n_steps / 2; n > 0; n /= 2)
        for (size_t from = 0; from + n <= s->n_steps;) {
            struct sim_script less = *s;
            memmove(&less.steps[from], &less.steps[from + n], (s->n_steps - from - n) * sizeof *less.steps);
            less.n_steps -= n;
            bool same = breaks(&less, invariant);
            if (same)
                *s = less;
            else
                from += n;
            shorter |= same;
        }
    return shorter;
}

static bool plainer(struct sim_script *s, int *value, const char *invariant)
{
    int was = *value;
    if (!was)
        return false;
    *value = 0;
    if (script_allowed(s) && breaks(s, invariant))
        return true;
    *value = was;
    return false;
}

static bool drop_knobs(struct sim_script *s, const char *invariant)
{
    bool shorter = false;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < sim_n_knobs; i++)
            shorter |= plainer(s, &s->trait[side][i], invariant);
    for (int i = 0; i < N_CHOICES; i++)
        shorter |= plainer(s, &s->choice[i], invariant);
    return shorter;
}

void sim_shrink(struct sim_script *s, const char *invariant)
{
    for (int i = 0; i < 4; i++) {
        bool shorter = drop_steps(s, invariant);
        if (!drop_knobs(s, invariant) && !shorter)
            return;
    }
}

/* --- reading --- */

void sim_print_step(const struct step *t, FILE *out)
{
    static const char *const kinds[] = {[STEP_CREATE] = "create",
                                        [STEP_EDIT] = "edit",
                                        [STEP_DELETE] = "delete",
                                        [STEP_TICK] = "time passes",
                                        [STEP_RUN] = "run"};
    if (t->kind == STEP_KNOB)
        fprintf(out, "  %c: %s (%s; n %d, u%d, u%d)\n", 'a' + t->side, sim_knobs[t->knob].name,
                sim_knobs[t->knob].fault, t->n, t->uid, t->field);
    else if (t->kind == STEP_RUN)
        fprintf(out, "  run\n");
    else if (t->kind == STEP_TICK)
        fprintf(out, "  %d ms pass\n", t->n);
    else
        fprintf(out, "  %c: %s u%d", 'a' + t->side, kinds[t->kind], t->uid);
    if (t->kind == STEP_EDIT)
        fprintf(out, ".%s = v%d%s", people_field(t->field), t->serial,
                t->n == 0   ? " (nothing)"
                : t->n == 1 ? " (empty)"
                            : "");
    if (t->kind == STEP_CREATE)
        fprintf(out, " with v%d on%s", t->serial, t->n ? "" : ", under an id of the other side's kind");
    if (t->kind == STEP_CREATE || t->kind == STEP_EDIT || t->kind == STEP_DELETE) {
        if (t->between)
            fprintf(out, ", %d steps into the run", t->between);
        fputc('\n', out);
    }
}

static void print_system(const struct sim_script *s, int side, FILE *out)
{
    fprintf(out, "  %c:", 'a' + side);
    for (size_t i = 0; i < sim_n_knobs; i++)
        if (s->trait[side][i])
            fprintf(out, " %s %d (%s);", sim_knobs[i].name, s->trait[side][i], sim_knobs[i].fault);
    fputc('\n', out);
}

void sim_print(const struct sim_script *s, FILE *out)
{
    static const char *const names[N_CHOICES] = {"mode", "tier", "unconditional", "first run", "start",   "title",
                                                 "body", "n",    "drift",         "deletes",   "ceiling", "store"};
    fprintf(out, "  pair:");
    for (int i = 0; i < N_CHOICES; i++)
        if (s->choice[i])
            fprintf(out, " %s %d;", names[i], s->choice[i]);
    fputc('\n', out);
    for (int side = 0; side < 2; side++)
        print_system(s, side, out);
    for (size_t i = 0; i < s->n_steps; i++)
        sim_print_step(&s->steps[i], out);
}
