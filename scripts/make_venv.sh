#!/bin/sh
# Makes a virtual environment: make_venv.sh PYTHON FOLDER. Debian keeps the venv module in a package of its own; it is
# installed if that takes no question.
set -eu
python=$1 folder=$2

say() { echo "make: $*" >&2; }

if ! "${python:-none}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "Python 3.11 or newer is needed${python:+, and $python is not}. Install one, or name it: make demo PYTHON=/path/to/python"
    exit 1
fi
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package="python$version-venv"
    root=
    [ "$(id -u)" = 0 ] || root="sudo -n"
    if ! command -v apt-get >/dev/null || ! $root true 2>/dev/null; then
        say "$python has no venv module. Install it first (Debian, Ubuntu: sudo apt-get install $package)."
        exit 1
    fi
    say "$python has no venv module: installing $package ..."
    log=$(mktemp)
    if ! { $root apt-get update && $root env DEBIAN_FRONTEND=noninteractive apt-get install -y "$package"; } >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        say "$package could not be installed. Install it first: apt-get install $package"
        exit 1
    fi
    rm -f "$log"
fi

# Whatever is there has no working python: a stranded link after an upgrade, or half of an earlier try.
rm -rf "$folder"
trap 'rm -rf "$folder"; exit 1' INT TERM HUP
"$python" -m venv "$folder" || { rm -rf "$folder"; exit 1; }
