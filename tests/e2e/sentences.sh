#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sentences.sh - what the program says when it is told wrong: each row a command, its exit code and its sentence, word for word.
cd "$(dirname "$0")/../.." || exit 2
. tests/e2e/lib.bash

# A pair in step, with an open conflict (1's title) and a second pair.
state() {
    mkdir -p x/p y/p x/q y/q
    cat >c.json <<END
{"connections": {"l": {"plugin": "jsondir", "settings": {"root": "x"}}, "r": {"plugin": "jsondir", "settings": {"root": "y"}}},
 "pairs": {"p": {"a": {"connection": "l", "object": "p"}, "b": {"connection": "r", "object": "p"}},
           "issues": {"a": {"connection": "l", "object": "q"}, "b": {"connection": "r", "object": "q"}}}}
END
    put x/p/1 '{"title":"x"}'
    put x/p/2 '{"title":"y"}'
    put x/p/3 '{"title":"z"}'
    run 0 sync p
    run 0 unlink p 3
    put x/p/1 '{"title":"on a"}'
    put y/p/1 '{"title":"on b"}'
    run 3 sync p
    sqlite3 x.db "CREATE TABLE t (id INTEGER PRIMARY KEY)"
    echo '{"items": []}' >no.plan
    echo '{"syncline_plan": 1, "config": "0000000000000000", "items": []}' >old.plan
    echo '{"syncline_plan": 1' >cut.plan
}

# told EXIT SENTENCE ARG…: the program, as the row says.
told() {
    local want=$2 rc=$1
    shift 2
    state
    run "$rc" "$@"
    is "stderr" "$(tail -n 1 err)" "$want"
}

# row EXIT SENTENCE ARG…
row() {
    local name=${*:3}
    scenario "says what is wrong: $name" told "$@"
}

u='usage: syncline'
row 2 "syncline: 'snyc' is no command; did you mean 'sync'?; \`syncline --help\` lists them" snyc
row 2 "syncline: 'frobnicate' is no command; \`syncline --help\` lists them" frobnicate
row 2 "syncline: '--no-wiat' is no option of this command; did you mean --no-wait" sync --no-wiat
row 2 "syncline: '--frobnicate' is no option of this command; see --help" sync --frobnicate
row 2 "syncline: -o needs a value" plan -o
row 2 "syncline: there is no pair 'isues'; did you mean 'issues'?" sync isues
row 2 "syncline: there is no pair 'frobnicate'; see the config's \`pairs\`" sync frobnicate
row 2 "syncline: there are 2 pairs: name one" links
row 2 "syncline: $u apply FILE" apply
row 2 "syncline: no.plan: is no plan; write one with \`syncline plan -o FILE\`" apply no.plan
row 2 "syncline: old.plan: was made under another config; plan again" apply old.plan
row 2 "syncline: cut.plan: line 2, column 1: the text ends where ',' or '}' should be; it may have been cut off" apply cut.plan
row 2 "syncline: there is no conflict '999'; list them with \`syncline conflicts list\`" conflicts resolve 999 --take a
row 2 "syncline: there is no entry '999'; list them with \`syncline conflicts list\`" conflicts show 999
row 2 "syncline: say --take a, --take b or --value JSON" conflicts resolve 1
row 2 "syncline: --value: line 1, column 1: expected a value, found 't'; give it as JSON, a text in double quotes" conflicts resolve 1 --value text
row 2 "syncline: $u conflicts [list | show ID | resolve ID --take a|b | resolve ID --value JSON]" conflicts solve 1
row 2 "syncline: there is no parked record '999'; list them with \`syncline parked list\`" parked retry 999
row 2 "syncline: there is no entry '999'; list them with \`syncline parked list\`" parked show 999
row 2 "syncline: $u parked [list | show ID | retry ID | retry --all | drop ID]" parked retry
row 2 "syncline: $u approve PAIR --deletes N | approve PAIR --first-run" approve
row 2 "syncline: say --deletes N (a whole number) or --first-run" approve p
row 2 "syncline: say --deletes N (a whole number) or --first-run" approve p --deletes many
row 2 "syncline: $u history [PAIR [ID]] [--since T]" history p 1 2
row 2 "syncline: --since 'yesterday': a date, a time or an age such as 2h or 7d" history p --since yesterday
row 2 "syncline: $u why PAIR ID [FIELD]" why p
row 2 "syncline: no record 'nobody' is known on side a; run \`syncline sync\` first, or write b:ID for side b" why p nobody
row 2 "syncline: pairs.issues: there is no state yet; run \`syncline sync issues\` first" why issues 1
row 2 "syncline: $u undo RUN [--dry-run]" undo
row 2 "syncline: no run 'nonesuch' has written anything; see \`syncline history\`" undo nonesuch
row 2 "syncline: $u link PAIR A B" link p 1
row 2 "syncline: '1' on side a is linked already; \`unlink\` it first" link p 1 2
row 2 "syncline: no record 'nobody' is known on side b; run \`syncline sync\` first, or write b:ID for side b" link p 3 nobody
row 2 "syncline: $u unlink PAIR A [--forget]" unlink p
row 2 "syncline: no record 'nobody' is known on side a; run \`syncline sync\` first, or write b:ID for side b" unlink p nobody
row 2 "syncline: '3' is not linked" unlink p 3
row 2 "syncline: $u test-filter PAIR ID" test-filter p
row 2 "syncline: side a has no record 'nobody'; write b:ID for side b" test-filter p nobody
row 2 "syncline: c.json is there already; remove it or name another with -c" init --a jsondir:p?root=x --b jsondir:p?root=y
row 2 "syncline: 'jsondir': a side is PLUGIN:OBJECT?SETTING=VALUE&…, for example jsondir:issues?root=tracker" -c new.json init --a jsondir --b jsondir:p
row 2 "syncline: 'root': a setting is NAME=VALUE" -c new.json init --a jsondir:p?root --b jsondir:p
row 1 "syncline: left: table nope is not in x.db; there are: t" -c new.json init --a sqlite:nope?file=x.db --b jsondir:p?root=y

# A pair of a table and a folder, both with records, under the members given: configured EXIT SENTENCE MEMBERS A-MEMBERS [OBJECT]
configured() {
    mkdir -p x y/p
    sqlite3 x.db "CREATE TABLE t (id INTEGER PRIMARY KEY, title TEXT, n INTEGER, twice AS (2 * n)); INSERT INTO t VALUES (1, 'x', 1)"
    put y/p/7 '{"title":"y"}'
    cat >c.json <<END
{"connections": {"l": {"plugin": "sqlite", "settings": {"file": "x.db"}}, "r": {"plugin": "jsondir", "settings": {"root": "y"}}},
 "pairs": {"p": {"a": {"connection": "l", "object": "${5:-t}"$4}, "b": {"connection": "r", "object": "p"}$3}}}
END
    run "$1" sync
    is "stderr" "$(tail -n 1 err)" "$2"
}

# pair NAME EXIT SENTENCE MEMBERS A-MEMBERS [OBJECT]
pair() { scenario "says what is wrong: $1" configured "${@:2}"; }

pair "no such object" 1 "syncline: l: table u is not in $top/work/x.db; there are: t" '' '' u
pair "no such field" 2 "syncline: pairs.p: a 't' has no field 'name'; see \`syncline plugins sqlite\`" \
    ', "fields": [{"a": "name", "b": "title"}]' ''
pair "a field that cannot be written" 2 "syncline: pairs.p: field 'twice' of side a cannot be written; give the rule a direction" \
    ', "fields": [{"a": "twice", "b": "n"}]' ''
pair "a first run that would double" 2 "syncline: pairs.p: both sides hold unlinked records (1 and 1) and there is no \`match\`: the first run would double 2 records; add \`match\`, or set first_run to match_only, create_only or review" \
    ', "first_run": "match_or_create"' ''
pair "a filter that fails" 2 "syncline: pairs.p.a.filter: on record '1': expression: string (\"x\") and number (1) cannot be added; correct the record or let the expression allow for it" '' ', "filter": ".title + 1 > 2"'

# A config of a pair of folders with a record each, further members of the config, and a's connection and members: folders CONFIG A
folders() {
    put x/p/1 '{"v":1}'
    cat >c.json <<END
{${1:-}"connections": {"left": {"plugin": "jsondir", "settings": {"root": "x"}}, "r": {"plugin": "jsondir", "settings": {"root": "y"}}},
 "pairs": {"p": {"a": {"connection": ${2:-"\"left\""}, "object": "p"}, "b": {"connection": "r", "object": "p"}}}}
END
}

# filtered SENTENCE FILTER
filtered() {
    folders '' "\"left\", \"filter\": \"$2\""
    run 2 sync
    says err "pairs.p.a.filter: expression$1"
}
filter() { scenario "says what is wrong: filter $(head -c 30 <<<"$2")" filtered "$@"; }

many() { head -c "$1" /dev/zero | tr '\0' "$2"; }
filter ', line 1: $foo is not defined; correct it (the language is jq 1.6)' '.v + $foo'
filter ', line 1, column 2: `ENV` is not available as a variable; an expression sees only the record and $now' '$ENV'
filter ', line 1, column 200: `(` is nested too deep; write the program flatter' "$(many 4000 '(')"
filter ', line 1, column 7: `"` opens a string that is not closed; add the missing "' '.x == \"abc'
filter ', line 1, column 6: `?` is a control character; write it as an escape such as \r in a string' '.x + \u0001'
filter ', line 1, column 4: `(.x` ends before everything it opened is closed; balance it' '(.x'
filter ': it is 70000 bytes long, more than 65536; write a shorter one' "$(many 70000 1)"

# written SENTENCE TEXT: that text as the config.
written() {
    printf '%b' "$2" >c.json
    run 2 status
    says err "c.json:$1"
}
config_of() { scenario "says what is wrong: config $(head -c 20 <<<"$2")" written "$@"; }
config_of '1:8: this is not UTF-8; save the text as UTF-8' '{"a": "\xff"}'
config_of "1:9: a lone '/'; a comment begins with // or /*" '{"a": 1 / 2}'
config_of '1:65: nested too deep; flatten the data' "$(many 80 '[')"

large_files() {
    folders
    truncate -s 80M big.json big.plan
    "$syncline" -c big.json status 2>err
    says err 'big.json: more than 8 MiB; name a config file with -c FILE'
    run 2 apply big.plan
    says err 'the text is larger than allowed; split it into smaller parts'
}

unwritable_files() {
    folders
    run 1 plan -o nowhere/p.plan
    says err 'nowhere/p.plan: No such file or directory; check the folder, its permissions and the free space'
    mkdir d.plan
    run '1|2' apply d.plan
    says err 'd.plan: Is a directory; check the path and its permissions'
}

near_connection() {
    folders '' '"leff"'
    run 2 status
    says err 'c.json:2:38: pairs.p.a.connection: no connection is named "leff"; did you mean "left"?'
}

many_match_keys() {
    folders '' '"left"'
    jq --argjson n "$(seq 101 | jq -cs 'map("f\(.)")')" '.pairs.p.match = $n' c.json >d.json && mv d.json c.json
    run 2 status
    says err 'pairs.p.match: 101 keys are too many; keep the best 100'
}

# A value for a drift whose record side a no longer has; and one for an entry that was about no field.
values_not_taken() {
    put x/p/1 '{"v":1}'
    folders
    run 0 sync
    put x/p/1 '{"v":2}'
    put y/p/1 '{"v":3}'
    run 3 sync
    "$syncline" -c c.json conflicts --json >out
    local id
    id=$(js '.[0].id')
    rm x/p/1.json
    run '1|2' conflicts resolve "$id" --value 4
    says err "'1' on side a did not take the value: "
}

# What matches twice is linked by hand: it takes no value.
matched_twice() {
    put y/p/7 '{"t":"same"}'
    put y/p/8 '{"t":"same"}'
    folders
    put x/p/1 '{"t":"same"}'
    jq '.pairs.p += {match: ["t"], first_run: "match_or_create"}' c.json >d.json && mv d.json c.json
    run '0|3' sync
    local id
    id=$("$syncline" -c c.json conflicts --json | jq -rs '.[0].id')
    run 2 conflicts resolve "$id" --value 1
    is "stderr" "$(tail -n 1 err)" "syncline: conflict $id: takes no value; use --take a or --take b"
}

# A program that never answers, and somebody who does not wait for it.
stopped_meanwhile() {
    mkdir -p y/p
    cat >slow.sh <<'END'
while read -r r; do case $r in
    *'"call":"describe"'*) echo '{"object":{"name":"p","caps":["complete","get"]}}'; echo '{"done":true}' ;;
    *) : >asked; sleep 100 & wait ;;
    esac; done
END
    cat >c.json <<END
{"connections": {"l": {"plugin": "exec", "settings": {"command": ["sh", "slow.sh"]}}, "r": {"plugin": "jsondir", "settings": {"root": "y"}}},
 "pairs": {"p": {"a": {"connection": "l", "object": "p"}, "b": {"connection": "r", "object": "p"}}}}
END
    "$syncline" -c c.json sync >out 2>err </dev/null &
    local pid=$!
    while [ ! -e asked ] && kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    kill -TERM "$pid"
    wait "$pid"
    is "exit" $? 1
    says err 'was ended because the run is being stopped: the next run asks again'
}

no_such_connector() {
    run 2 -c new.json init --a nonesuch:p --b jsondir:p?root=y
    says err "connector 'nonesuch' is in none of the folders "
    says err '; put its .so there'
}

scenario "says what is wrong: no such connector" no_such_connector
scenario "says what is wrong: too many match keys" many_match_keys
scenario "says what is wrong: a value that is not taken" values_not_taken
scenario "says what is wrong: a value for what matched twice" matched_twice
scenario "I18: says that it was stopped" stopped_meanwhile
row 2 "syncline: '--frobnicate' is no option; \`syncline --help\` lists them" --frobnicate
scenario "says what is wrong: files too large" large_files
scenario "says what is wrong: files that cannot be opened" unwritable_files
scenario "says what is wrong: a connection's name" near_connection
finish
