# Sourced by the examples and by tests/run.sh: reads their options, makes .venv and brings Debian packages.

# say TEXT: a line that stands out from what the tools print.
say() { printf '\n==> %s\n' "$*"; }

# tells_of_itself SCRIPT ARGUMENT…: where one of the arguments is --help, prints the comment at the script's head and ends.
tells_of_itself() {
    local script=$1 argument
    shift
    for argument; do
        case $argument in
            -h | --help)
                sed -n '2,/^[^#]/s/^# //p' "$script"
                exit 0
                ;;
        esac
    done
}

# takes_no_arguments SCRIPT ARGUMENT…: the same, and any other argument is an error.
takes_no_arguments() {
    tells_of_itself "$@"
    [ $# -eq 1 ] && return
    printf '%s takes no arguments but --help, and was given: %s\n' "$1" "${*:2}" >&2
    exit 2
}

# find_python: prints a Python that is new enough.
find_python() {
    local candidate
    for candidate in python3.11 python3.12 python3.13 python3; do
        if command -v "$candidate" > /dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            command -v "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv" >&2
    return 1
}

# debian_packages COMMAND:PACKAGE…: installs the packages whose command (or file, if it starts with /) is not there.
# Where this may not be done, or does not work, it prints the command and goes on: what needs them then says so.
debian_packages() {
    local pair thing package missing=()
    for pair in "$@"; do
        thing=${pair%%:*} package=${pair#*:}
        case $thing in
            /*) compgen -G "$thing" > /dev/null || missing+=("$package") ;;
            *) command -v "$thing" > /dev/null || missing+=("$package") ;;
        esac
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing Debian packages: ${missing[*]}"
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" > /dev/null && return 0
    fi
    echo "please run:  sudo apt-get update && sudo apt-get install -y ${missing[*]}" >&2
}

# make_venv EXTRAS: .venv in the current folder with tinsmith and these extras, versions as in constraints.txt.
make_venv() {
    local extras=$1 python stamp
    stamp=.venv/.installed-${extras//,/-}
    if [ -e "$stamp" ] && [ "$stamp" -nt constraints.txt ] && [ "$stamp" -nt pyproject.toml ]; then
        return
    fi
    if [ ! -x .venv/bin/pip ]; then
        say "making .venv"
        python=$(find_python)
        if ! "$python" -c 'import ensurepip' 2> /dev/null; then
            debian_packages /nothing:python3-venv
        fi
        "$python" -m venv .venv
    fi
    say "installing tinsmith[$extras] and what it needs (torch and TVM are a few hundred megabytes)"
    .venv/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$extras]"
    touch "$stamp"
}
