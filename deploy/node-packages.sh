#!/bin/sh
# Installs the tools that check the scripts of the pages into node_modules, as package-lock.json locks them. A machine
# that has node keeps it; elsewhere node and npm are installed as system packages.
set -eu
cd "$(dirname "$0")/.."
command -v node >/dev/null 2>&1 || deploy/system-packages.sh nodejs npm
if ! command -v npm >/dev/null 2>&1; then
    echo "There is node but no npm. Please install npm from where node came." >&2
    exit 1
fi
if ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 1 : 0)'; then
    echo "Checking the scripts of the pages needs Node 18 or newer; this is $(node --version)." >&2
    exit 1
fi
npm ci --ignore-scripts --loglevel=error
