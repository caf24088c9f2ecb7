#!/usr/bin/env bash
# image.sh FOLDER LAYERS: makes what Compose hosts start from, kept in FOLDER and made once for what it holds, and prints
# one line for each: `images PATH`, a folder with the images `odoo` and `db` as tar files, then `SUITE PATH`, the root
# file system of a Debian with Docker and Compose. Needs root.
#   LAYERS  of the systemd host: its programs, its database and its filestore are those of the images
set -euo pipefail
export LC_ALL=C.UTF-8
umask 022
folder=$1 layers=$2
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
packages=systemd,systemd-sysv,libpam-systemd,dbus,openssh-server,sudo,procps,python3,iptables,docker.io,docker-compose
unused_for_days=30

# What is mounted here goes with these namespaces, however the building ends.
[ "${3-}" = inside ] ||
  exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \
    bash "${BASH_SOURCE[0]}" "$folder" "$layers" inside

build_host() { # SUITE ROOT
  local suite=$1 root=$2 mirror also=
  [ "$suite" = bookworm ] || also=,docker-cli # a package of its own since then
  # The mirror that this machine's own apt uses, where it is one of Debian's.
  # shellcheck disable=SC2016 # apt's own, not the shell's
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1 || true)
  local log=$folder/debootstrap-$suite.log
  if ! debootstrap --variant=minbase "--include=$packages$also" "$suite" "$root" ${mirror:+"$mirror"} >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    exit 1
  fi
  rm -rf "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
    "$root"/usr/share/{doc,man,locale}/* "$root"/etc/ssh/ssh_host_* "$root/usr/sbin/policy-rc.d"
  ln -sf /dev/null "$root/etc/systemd/system/systemd-modules-load.service" # the modules are the machine's
  chroot "$root" useradd --create-home --shell /bin/bash --groups docker deploy
  cp -r "$here/project" "$root/srv/odoo"
  chroot "$root" chown -R deploy: /srv/odoo
}

build_images() { # FOLDER
  mount -t overlay overlay -o "lowerdir=$layers,upperdir=$1/upper,workdir=$1/work" "$1/root"
  local pack=(tar --create --numeric-owner "--directory=$1/root" --exclude=./usr/lib/systemd --exclude=./var/log
    --exclude='./usr/lib/*/libLLVM*' --exclude=./usr/lib/postgresql/15/lib/bitcode)
  # Odoo's image has no client of PostgreSQL here, and the database's no Odoo: each has to do with its own.
  "${pack[@]}" "--file=$1/db.tar" --exclude=./var/lib/odoo --exclude=./usr/local/bin/odoo .
  "${pack[@]}" "--file=$1/odoo.tar" --exclude=./var/lib/postgresql --exclude=./usr/lib/postgresql \
    --exclude='./usr/bin/pg_*' --exclude=./usr/bin/psql .
  umount "$1/root"
  rm -r "$1"/{upper,work,root}
}

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9 # two runs may start at the same time
key() { sha256sum | cut -c 1-16; }

images=$folder/images-$(key < <(echo "$layers" && declare -f build_images))
if [ ! -d "$images" ]; then
  echo 'Compose host: images' >&2
  rm -rf "$images.partial"
  mkdir -p "$images.partial"/{upper,work,root}
  build_images "$images.partial"
  mv "$images.partial" "$images"
fi
touch "$images"
echo "images $images"

for suite in bookworm trixie; do
  host=$folder/$suite-$(key < <(echo "$packages $(uname -m)" && declare -f build_host && tar -C "$here" -c --mtime=@0 --owner=0 --group=0 --sort=name project))
  if [ ! -d "$host" ]; then
    echo "Compose host: Debian $suite by debootstrap" >&2
    rm -rf "$host.partial"
    build_host "$suite" "$host.partial" >&2
    mv "$host.partial" "$host"
  fi
  touch "$host"
  echo "$suite $host"
done
find "$folder" -mindepth 1 -maxdepth 1 -type d -mtime +$unused_for_days -exec rm -rf {} +
