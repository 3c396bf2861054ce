# SPDX-License-Identifier: MIT
# syncline.bash - completion for bash: commands, their words and options, pairs, connectors, files.

# The pairs of the config on the command line, or of ./syncline.json.
_syncline_pairs() {
    local i config=syncline.json
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -c ]] && config=${COMP_WORDS[i + 1]}
    done
    "${COMP_WORDS[0]}" -c "$config" --json status 2>/dev/null </dev/null |
        sed -n 's/.*"pair": *"\([^"]*\)".*/\1/p' | sort -u
}

_syncline_plugins() {
    "${COMP_WORDS[0]}" plugins 2>/dev/null </dev/null | sed -n 's/^\([a-z0-9][a-z0-9_-]*\) .*/\1/p'
}

_syncline() {
    local commands="init check test-filter plan apply sync run status conflicts parked approve history why undo verify link
        unlink links plugins certify"
    local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD - 1]} command="" i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -c) ((i++)) ;;
        -*) ;;
        *) command=${COMP_WORDS[i]} && break ;;
        esac
    done
    COMPREPLY=()
    case $last in
    -c | -o | --record | --replay) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
    --take) mapfile -t COMPREPLY < <(compgen -W "a b" -- "$word") && return ;;
    --deletes | --since | --value) return ;;
    esac
    local options="--json --help" words=""
    case $command in
    "") options="-c --json --help --version" words=$commands ;;
    init) options+=" --a --b" ;;
    check) options+=" --online" ;;
    plan) options+=" -o --exit-code --record --replay" words=$(_syncline_pairs) ;;
    apply) mapfile -t COMPREPLY < <(compgen -f -- "$word") && [[ $word != -* ]] && return ;;
    sync) options+=" --no-wait --record --replay" words=$(_syncline_pairs) ;;
    verify) options+=" --repair --record --replay" words=$(_syncline_pairs) ;;
    conflicts) options+=" --take --value" words="list show resolve" ;;
    parked) options+=" --all" words="list show retry drop" ;;
    approve) options+=" --deletes --first-run" words=$(_syncline_pairs) ;;
    history) options+=" --since" words=$(_syncline_pairs) ;;
    undo) options+=" --dry-run" ;;
    unlink) options+=" --forget" words=$(_syncline_pairs) ;;
    test-filter | status | why | link | links) words=$(_syncline_pairs) ;;
    plugins) words=$(_syncline_plugins) ;;
    certify) options+=" --config" && mapfile -t COMPREPLY < <(compgen -f -- "$word") && [[ $word != -* ]] && return ;;
    esac
    [[ $word == -* ]] && words=$options
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _syncline syncline
