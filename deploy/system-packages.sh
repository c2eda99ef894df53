#!/bin/sh
# Installs those Debian packages named as arguments that are missing, with apt-get: as root, or with sudo.
# sudo may ask for a password on a terminal; elsewhere it is used only if it needs none.
# If the packages cannot be installed, it prints the command that installs them and exits with 1.
set -eu
missing=""
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
as_root="none"
if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then as_root=""
    elif sudo -n true 2>/dev/null; then as_root="sudo -n"
    elif [ -t 0 ] && [ -t 2 ] && command -v sudo >/dev/null 2>&1; then as_root="sudo"
    fi
fi
if [ "$as_root" != "none" ]; then
    echo "Installing$missing"
    [ "$as_root" != "sudo" ] || echo "sudo asks for your password. Without it, this step is left out."
    # shellcheck disable=SC2086 # the names are meant to be split
    if $as_root apt-get update -qq &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    then exit 0; fi
fi
echo "Please install these system packages, as root: apt install$missing" >&2
exit 1
