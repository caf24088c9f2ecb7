#!/bin/sh
# Installs the project's npm packages where they are missing or out of date; with --servers also the Debian
# packages that the sandbox's servers come from; with --hosts those, and what hosts with systemd take; with --bench
# those, and what the benchmark takes. Says nothing when there is nothing to do.
# Takes any Node from 18 on with npm: the Node that runs the project is one of the packages.
set -eu
cd -- "$(dirname -- "$0")/.."

# npm writes this file when an installation is complete.
installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ -n "$(find package-lock.json -newer "$installed")" ]; then
  echo 'Installing npm packages' >&2
  # Errors only: that this machine's Node is older than the project's does not matter. Two packages need their
  # install scripts; ssh2's would compile optional parts, which the project goes without. (allowScripts in
  # package.json says the same to npm 11.16 and newer.)
  npm ci --ignore-scripts --loglevel=error --no-audit --no-fund >&2
  npm rebuild --loglevel=error node esbuild >&2
  touch "$installed"
fi

[ $# -gt 0 ] || exit 0
missing=$(node_modules/.bin/node scripts/missing-packages.ts "$1")
[ -n "$missing" ] || exit 0

sudo=
[ "$(id -u)" -eq 0 ] || sudo='sudo -n'
if ! command -v apt-get >/dev/null || ! $sudo true; then
  echo "These Debian packages are needed, and only root can install them: $missing" >&2
  exit 1
fi
echo "Installing Debian packages: $missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# $sudo and $missing are lists of words.
# shellcheck disable=SC2086
if ! {
  $sudo apt-get update -q &&
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing
} >"$log" 2>&1 </dev/null; then
  tail -n 20 "$log" >&2
  echo "Could not install: $missing" >&2
  exit 1
fi
