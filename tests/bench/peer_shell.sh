#!/bin/bash
# A peer: the loop that every administrator has written: inotifywait, file, sha256sum, mv.
#
#   peer_shell.sh INBOX OUT JOURNAL

inbox=$1 out=$2 journal=$3
pattern='^([^_]+)_([A-Za-z]+)_([^_]+)_([0-9]{4})-?([0-9]{2})-?([0-9]{2})\.([A-Za-z0-9]+)$'

file_one() {
    local path=$1 name=${1##*/} mime sum folder stem to serial=2
    local ext=${name##*.}

    [ -f "$path" ] || return
    mime=$(file -b --mime-type -- "$path")
    sum=$(sha256sum -- "$path")
    if [[ $name =~ $pattern ]]; then
        local m=("${BASH_REMATCH[@]}")
        folder=$out/${m[1]}/${m[2]}
        stem=${m[1]}_${m[2]}_${m[3]}_${m[4]}-${m[5]}-${m[6]}
    else
        stem=${name%.*}
        folder=$out/Unsorted
        stem=Unknown_General_${stem// /-}_$(date -r "$path" +%F)
    fi
    mkdir -p "$folder"
    to=$folder/$stem.$ext
    while [ -e "$to" ]; do
        to=$folder/$stem-$serial.$ext
        serial=$((serial + 1))
    done
    mv -n -- "$path" "$to"
    printf '%s\t%s\t%s\t%s\n' "$path" "$to" "$mime" "${sum%% *}" >>"$journal"
}

# inotifywait says on standard error when it watches; the driver waits for "ready".
inotifywait -m -e close_write -e moved_to --format '%w%f' "$inbox" \
    2> >(while IFS= read -r line; do [[ $line == *established* ]] && echo ready; done) |
    while IFS= read -r path; do
        if [ "$path" = ready ]; then echo ready; else file_one "$path"; fi
    done
