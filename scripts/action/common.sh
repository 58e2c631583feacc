# shellcheck shell=bash
# What the action's scripts share. bash 3.2, which is what macOS has.

# As a workflow command: it stands in the step's log and on the run's page. What would end it is escaped.
say_error() {
    local text=$1
    text=${text//'%'/%25}
    text=${text//$'\r'/%0D}
    text=${text//$'\n'/%0A}
    printf '::error title=agxrun::%s\n' "$text" >&2
}

die() {
    say_error "$1"
    exit 125
}

# output NAME VALUE: what later steps see. Values are on one line: paths of this job, numbers, words.
output() {
    case $2 in
    *$'\n'*) die "the output $1 has several lines: $2" ;;
    esac
    printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# words NAME TEXT WHAT: sets the array NAME to the words of TEXT, split and quoted as the shell does. A pipe, a list or a
# redirection is none, and several lines would become one command.
words() {
    local text=$2
    while [ "${text%$'\n'}" != "$text" ]; do text=${text%$'\n'}; done
    case ${text//"\\"$'\n'/} in
    *$'\n'*) die "$3: one line is expected (put several commands into a script): $text" ;;
    esac
    # Parsed first, and not run: what is no list of words is a mistake, and nothing in it may happen before that is known.
    bash -n -c "$1=($text)" 2>/dev/null ||
        die "$3: words are expected, as of one simple command, without pipes and redirections (put these into a script): $text"
    eval "$1=($text)"
}
