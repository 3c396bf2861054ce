#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# completion.sh - the shells offer each command and option that the program tells of, pairs and connectors, and nothing that is for the daemon alone.
cd "$(dirname "$0")/../.." || exit 2
completion=$PWD/configs/completion
. tests/e2e/lib.bash
# shellcheck source=configs/completion/syncline.bash
. "$completion/syncline.bash"

# offered WORD…: what bash offers for the last of them, a line.
offered() {
    COMP_WORDS=("$syncline" "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _syncline
    printf '%s\n' "${COMPREPLY[@]}" | grep . | sort | tr '\n' ' '
}
told() { "$syncline" --help | sed -n 's/^  \([a-z-]*\)  .*/\1/p' | sort; }

commands() {
    is "commands in bash" "$(offered '')" "$(told | tr '\n' ' ')"
    # shellcheck disable=SC2016 # a line of the zsh script
    is "commands in zsh" "$(sed -n "/local -a commands=(/,/^    )/s/^        '\([a-z-]*\):.*/\1/p" "$completion/_syncline" | sort | tr '\n' ' ')" "$(told | tr '\n' ' ')"
}

# Of each command: what its --help names, which is what its table takes.
options() {
    local command want n=0
    for command in $(told); do
        want=$({ "$syncline" "$command" --help | grep -oE -- '(^|[[ ])--?[a-z][a-z-]*' | tr -d '[ ' | grep -vx -- -c; echo --help; echo --json; } | sort -u | tr '\n' ' ')
        is "options of $command" "$(offered "$command" -)" "$want"
        n=$((n + 1))
    done
    [ $n -ge 20 ] || wrong "only $n commands"
}

pairs_and_connectors() {
    config
    mv c.json syncline.json
    run 0 --help
    is "pairs" "$(offered sync '')" "p "
    is "connectors" "$(offered plugins js)" "jsondir "
    is "sides" "$(offered conflicts resolve 1 --take '')" "a b "
}

nothing_hidden() {
    local word
    is "what the program has for itself" "$("$syncline" --help | grep -cE 'gateway|receiver|worker|--given')" 0
    for word in gateway receiver worker --given; do
        ! grep -qE -- "(^|[^a-z-])$word([^a-z-]|\$)" "$completion/syncline.bash" "$completion/_syncline" || wrong "a shell offers $word"
    done
}

scenario "each command is offered" commands
scenario "each option is offered, and no other" options
scenario "pairs of the config and connectors are offered" pairs_and_connectors
scenario "nothing is offered that is for the daemon alone" nothing_hidden
finish
