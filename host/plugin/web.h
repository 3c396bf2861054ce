/* SPDX-License-Identifier: MIT */
/* web.h - a session's HTTP: the connector's rules and the connection's settings made into an open service. */
#ifndef PLUGIN_WEB_H
#define PLUGIN_WEB_H

#include "net/http.h"
#include "plugin/session.h"

struct web;

/*
 * Credentials and servers from the rules of the plugin and the settings (both borrowed until web_close). ERR_CONFIG: a rule names an option
 * that is not set, or auth or base_url is at fault. Out: *out, to be closed.
 */
int web_open(const struct sl_plugin *plugin, const char *connection, const struct sl_value *settings,
             uint32_t n_settings, const struct session_net *net, const struct session_world *world, struct web **out,
             struct err *e);
void web_close(struct web *w); /* accepts NULL */
struct http *web_http(struct web *w);

/*
 * A text of the rules with the settings put in: "{name}" for the option of that name, `json`: escaped as in a JSON string, else as in a URL.
 * NULL if one is not set.
 */
const char *web_fill(const char *text, const struct sl_value *settings, uint32_t n_settings, bool json,
                     struct arena *a);

#endif
