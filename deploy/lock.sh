#!/bin/sh
# Updates the lock files. All locks have the same versions, so that installing one after another changes nothing.
set -eu
cd "$(dirname "$0")/../requirements"
compile="../.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-header --upgrade"
$compile base.in -o base.txt
$compile whisperx.in -c base.txt -o whisperx.txt
$compile --no-deps speakers.in -o speakers.txt
$compile dev.in -c base.txt -c whisperx.txt -o dev.txt
$compile --no-deps quality.in --generate-hashes -o quality.txt
