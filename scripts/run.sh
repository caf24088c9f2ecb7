#!/bin/sh
# Runs a TypeScript file of the project on the project's own Node, on a fresh clone as well:
#   sh scripts/run.sh [--servers | --bench] scripts/FILE.ts [argument]…
# What is missing is installed first (see setup.sh); with --servers also what the sandbox's servers come from, with
# --bench those and what the benchmark compares with.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
also=
case $1 in
--servers | --bench)
  also=$1
  shift
  ;;
esac
sh "$root/scripts/setup.sh" $also
script=$1
shift
exec "$root/node_modules/.bin/node" "$root/$script" "$@"
