#!/bin/sh
# Installs the Debian packages named as arguments that are missing: as root, or by sudo where it asks for no password.
# Elsewhere it says which to install and ends with 1: only what needs them will be missing.
set -eu
missing=""
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else as_root="no"; fi
    if [ "$as_root" != "no" ]; then
        echo "Installing$missing"
        # shellcheck disable=SC2086 # the names are meant to be split
        if $as_root apt-get update -qq &&
            $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
        then exit 0; fi
    fi
fi
echo "Please install these system packages, as root: apt install$missing" >&2
exit 1
