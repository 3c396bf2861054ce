/* SPDX-License-Identifier: MIT */
/* pairs.c - the config's pairs as the API lists them: what is kept in step with what, and how often. */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"

static const char *const modes[] = {[MODE_TWO_WAY] = "two_way", [MODE_ONE_WAY] = "one_way", [MODE_APPEND] = "append"};

static void put_side(struct buf *out, const char *key, const struct conf_side *side)
{
    buf_printf(out, ", \"%s\": {", key);
    json_put_text(out, "connection", side->connection);
    json_put_text(out, "object", side->object);
    buf_byte(out, '}');
}

static void put_fields(struct buf *out, const struct map *map)
{
    buf_text(out, ", \"fields\": [");
    for (size_t i = 0; i < map->n_rules; i++) {
        const struct rule *r = &map->rules[i];
        buf_text(out, i ? ", {" : "{");
        for (int s = 0; s < 2; s++)
            if (r->field[s])
                json_put_text(out, s ? "b" : "a", r->field[s]);
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
}

static int print_pair(struct cli *c, struct conf_pair *p)
{
    struct buf b = {0};
    (void)c;
    out_begin(&b);
    out_text(&b, "pair", p->name);
    out_text(&b, "parent", p->parent ? p->parent->name : NULL);
    out_text(&b, "mode", modes[p->append ? MODE_APPEND : p->mode]);
    out_count(&b, "every_ms", p->every_ms > 0 ? p->every_ms : -1);
    put_side(&b, "a", &p->side[0]);
    put_side(&b, "b", &p->side[1]);
    put_fields(&b, &p->map);
    out_end(&b);
    buf_fini(&b);
    return 0;
}

int cmd_pairs(struct cli *c)
{
    if (cli_options(c, NULL, 0) || cli_operands(c, 0, 0, "pairs") || cli_conf(c))
        return 2;
    return cli_each(c, print_pair);
}
