#!/bin/sh
# Runs a TypeScript file of the project on the project's own Node, on a fresh clone as well:
#   sh scripts/run.sh [--servers] scripts/FILE.ts [argument]…
# What is missing is installed first (see setup.sh); with --servers also what the sandbox's servers come from.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
servers=
if [ "$1" = --servers ]; then
  servers=--servers
  shift
fi
sh "$root/scripts/setup.sh" $servers
script=$1
shift
exec "$root/node_modules/.bin/node" "$root/$script" "$@"
