#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# monitoring.sh - configs/grafana.json and configs/alerts.yml name metrics, labels and commands that a running daemon has.
cd "$(dirname "$0")/../.." || exit 2
configs=$PWD/configs
. tests/e2e/daemon.bash
command -v curl >/dev/null && command -v jq >/dev/null || exit 77

# The metrics page of a daemon that has run a pair between a server with a limit and a folder; page: its text, series: its metrics.
seen_page() {
    serve "$BUILD/tests/peers/peer" generic
    curl -sS "http://127.0.0.1:$port/_peer/put" -d '{"title": "one"}' >/dev/null
    curl -sS "http://127.0.0.1:$port/_peer/knobs" -d '{"requests a second": 50}' >/dev/null
    cat >c.json <<JSON
{"listen": "127.0.0.1:0", "connections": {
    "api": {"plugin": "rest", "settings": {"base_url": "http://127.0.0.1:$port", "resources": {"items": {
      "key": "/id", "list": {"path": "/items", "records": "/items",
      "page": {"type": "cursor", "token_from": "/next_token", "token_to": {"name": "page_token"}, "size_to": {"name": "limit", "value": 3}}}}}}},
    "x": {"plugin": "jsondir", "settings": {"root": "x"}}},
 "pairs": {"p": {"a": {"connection": "api", "object": "items"}, "b": {"connection": "x", "object": "."}, "mode": "one_way",
   "every": "200ms", "fields": [{"a": "title", "b": "title"}]}}}
JSON
    start
    until_true whole
    sed -nE 's/^# HELP (syncline_[a-z_]+) .*/\1/p; s/^(syncline_[a-z_]+).*/\1/p' page | sort -u >series
    ends
}
whole() {
    curl -sS --max-time 20 "$address/metrics" >page
    grep -q '^syncline_pair_last_run_seconds' page && grep -q '^syncline_connection_budget_left' page
}

# What FILE names that the page does not have.
unknown() { grep -oE 'syncline_[a-z_]+' "$1" | sort -u | comm -23 - series; }
# A label of FILE that no series has: in {…}, in by (…), in {{…}}, and in $labels.…; instance and job are the scraper's.
labels() { grep -oE '[a-z]+(=~|=\\"|==)|by \([a-z, ]+\)|\{\{[a-z]+\}\}|\$labels\.[a-z]+' "$1" | grep -v '^job' | sed -E 's/^by //; s/\$labels\.//' | tr -c 'a-z\n' '\n' | grep . | sort -u; }
unknown_labels() { labels "$1" | comm -23 - <({ grep -oE '[{,][a-z]+="' page | tr -cd 'a-z\n'; echo instance; } | sort -u); }
metrics_of() { grep -oE 'syncline_[a-z_]+' "$1" | sort -u | wc -l; }

# holds FILE N: at least N metrics, all of them there; and a wrong name would have been seen.
holds() {
    [ "$(metrics_of "$1")" -ge "$2" ] || wrong "only $(metrics_of "$1") metrics in $1"
    is "metrics that do not exist" "$(unknown "$1")" ""
    is "labels that do not exist" "$(unknown_labels "$1")" ""
    sed 's/syncline_pair_lag_seconds/syncline_pair_lag/; s/labels\.pair/labels.pears/; s/{{pair}}/{{pears}}/' "$1" >changed
    is "a wrong metric" "$(unknown changed)" syncline_pair_lag
    is "a wrong label" "$(unknown_labels changed)" pears
}

dashboard() {
    seen_page
    jq -e . "$configs/grafana.json" >/dev/null || wrong "grafana.json is no JSON"
    holds "$configs/grafana.json" 30
    # every metric that there is has a place on it
    is "what the dashboard does not show" "$(sed -n 's/^# HELP \(syncline_[a-z_]*\) .*/\1/p' page | while read -r m; do grep -q "$m" "$configs/grafana.json" || echo "$m"; done)" ""
    is "ids twice" "$(jq -c '[.panels[].id] | group_by(.) | map(select(length > 1))' "$configs/grafana.json")" '[]'
    is "panels without an expression or a title" "$(jq -c '[.panels[] | select(.type != "row") | select((.title | not) or ([.targets[].expr] | length == 0))]' "$configs/grafana.json")" '[]'
    is "panels over one another" "$(jq -c '[.panels[] | .id as $id | .gridPos as $g | range($g.y; $g.y + $g.h) as $y | range($g.x; $g.x + $g.w) as $x | [$x, $y]] | group_by(.) | map(select(length > 1) | .[0])' "$configs/grafana.json")" '[]'
}

alerts() {
    seen_page
    holds "$configs/alerts.yml" 10
    if command -v promtool >/dev/null; then
        promtool check rules "$configs/alerts.yml" >out 2>&1 || wrong "promtool: $(tail -n 3 out)"
    elif python3 -c 'import yaml' 2>/dev/null; then
        python3 -c 'import sys, yaml; [r["alert"] + r["expr"] + r["annotations"]["summary"] for g in yaml.safe_load(open(sys.argv[1]))["groups"] for r in g["rules"]]' \
            "$configs/alerts.yml" 2>err || wrong "alerts.yml: $(tail -n 1 err)"
    fi
    "$syncline" --help >out
    # shellcheck disable=SC2016 # backquotes of the file
    grep -oE '`syncline [a-z]+' "$configs/alerts.yml" | cut -d' ' -f2 | sort -u >named
    [ "$(wc -l <named)" -ge 4 ] || wrong "the alerts name no commands"
    while read -r command; do grep -qE "^ *$command( |\$)" out || wrong "an alert names the command $command"; done <named
}

scenario "the dashboard shows every metric, and none that does not exist" dashboard
scenario "the alerts are about metrics that exist, and name commands that do" alerts
finish
