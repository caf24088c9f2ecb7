# shellcheck shell=bash
# Sourced by the image.sh of each kind of host: what they have in common. Each is started as `image.sh FOLDER …` and keeps
# there what it makes, made once for what it holds. Needs root.
set -euo pipefail
export LC_ALL=C.UTF-8
umask 022

# What is mounted and started here goes with these namespaces, however the building ends.
[ "${IMAGES_INSIDE-}" = yes ] ||
  IMAGES_INSIDE=yes exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \
    bash "$0" "$@"

folder=$1
unused_for_days=30
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9 # two runs may start at the same time

key() { sha256sum | cut -c 1-16; }

made() { # PATH WORDS COMMAND…: sees to it that the folder PATH is there, made by COMMAND PATH
  local path=$1 words=$2
  shift 2
  if [ ! -d "$path" ]; then
    echo "$words" >&2
    rm -rf "$path.partial"
    "$@" "$path.partial" >&2
    mv "$path.partial" "$path"
  fi
  touch "$path"
}

build_debian() { # SUITE PACKAGES ROOT
  local suite=$1 packages=$2 root=$3 mirror
  # The mirror that this machine's own apt uses, where it is one of Debian's.
  # shellcheck disable=SC2016 # apt's own, not the shell's
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1 || true)
  local log=$folder/debootstrap.log
  if ! debootstrap --variant=minbase "--include=$packages" "$suite" "$root" ${mirror:+"$mirror"} >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    exit 1
  fi
  rm -rf "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
    "$root"/usr/share/{doc,man,locale}/* "$root"/etc/ssh/ssh_host_* "$root/usr/sbin/policy-rc.d"
}

drop_unused() { find "$folder" -mindepth 1 -maxdepth 1 -type d -mtime +$unused_for_days -exec rm -rf {} +; }
