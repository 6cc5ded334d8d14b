#!/bin/sh
# Pins every library by version and hash, for all platforms, without naming any index.
set -eu
cd "$(dirname "$0")/.."
flags="--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q"
# shellcheck disable=SC2086
uv pip compile $flags pyproject.toml --group build -o requirements/run.txt "$@"
# shellcheck disable=SC2086
uv pip compile $flags pyproject.toml --group build --group dev -o requirements/dev.txt "$@"
# shellcheck disable=SC2086
uv pip compile $flags pyproject.toml --group build --group dev --group bench -o requirements/bench.txt "$@"
