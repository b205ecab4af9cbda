# bash completion for organizer(1). Verbs come from the program's own help, so the two agree.
# shellcheck shell=bash
_organizer()
{
    local cur=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local words=

    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$(organizer help 2>/dev/null | sed -n 's/^  organizer \([a-z]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$cur")
        return
    fi
    case $prev in
    -C | --cabinet | --to)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    --relevance)
        mapfile -t COMPREPLY < <(compgen -W "key supporting background" -- "$cur")
        return
        ;;
    --last | --since | --until | --client | --case | --type | --mime | --limit)
        return
        ;;
    esac
    if [ "$verb" = find ]; then
        case $cur in
        -*)
            mapfile -t COMPREPLY < <(compgen -W "--client --case --type --since --until --relevance \
                --mime --limit --json --open --rebuild --cabinet --help" -- "$cur")
            ;;
        esac
        return
    fi
    case $cur in
    -*)
        mapfile -t COMPREPLY < <(compgen -W "--json --dry-run --force --cabinet --last --since --fast --to --as-case \
            --all --output --verbose --help" -- "$cur")
        return
        ;;
    esac
    case $verb in
    help)
        words=$(organizer help 2>/dev/null | sed -n 's/^  organizer \([a-z]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        ;;
    rules)
        [ "$COMP_CWORD" -eq 2 ] && mapfile -t COMPREPLY < <(compgen -W "check test list" -- "$cur")
        ;;
    apply)
        mapfile -t COMPREPLY < <(compgen -f -X '!*.csv' -- "$cur")
        ;;
    *)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        ;;
    esac
}
complete -o filenames -F _organizer organizer
