#!/usr/bin/env bash
# image.sh FOLDER FIXTURE: makes the root file system of a Debian host that runs Odoo, in two layers that are kept in
# FOLDER and made once for what they hold, and prints them as the option `lowerdir` of an overlay. Needs root.
#   FIXTURE  a backup that Odoo wrote: it becomes the database and the filestore of `shop`
set -euo pipefail
export LC_ALL=C.UTF-8
umask 022
folder=$1 fixture=$2
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
suite=bookworm
# Neither curl nor wget: the program has to do with what a host has.
packages=systemd,systemd-sysv,libpam-systemd,dbus,openssh-server,postgresql,sudo,zstd,procps,python3,python3-psycopg2
unused_for_days=30

# What is mounted and started here goes with these namespaces, however the building ends.
[ "${3-}" = inside ] ||
  exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \
    bash "${BASH_SOURCE[0]}" "$folder" "$fixture" inside

build_debian() { # ROOT
  local root=$1 mirror
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

build_odoo() { # ROOT: a Debian, to become a host of Odoo
  local root=$1 home=/var/lib/odoo
  local data=$home/.local/share/Odoo
  as_odoo() { chroot "$root" runuser -u odoo -- "$@"; }
  mount -t proc proc "$root/proc"
  mount -t tmpfs tmpfs "$root/dev/shm"
  mount -t tmpfs tmpfs "$root/tmp"

  chroot "$root" useradd --system --user-group --home-dir $home --create-home --shell /usr/sbin/nologin odoo
  chroot "$root" useradd --create-home --shell /bin/bash deploy
  install -m 755 "$here/odoo.py" "$root/usr/local/bin/odoo"
  install -m 644 "$here/odoo.service" "$root/etc/systemd/system/odoo.service"
  install -D -m 640 "$here/odoo.conf" "$root/etc/odoo/odoo.conf"
  chroot "$root" chown odoo: /etc/odoo/odoo.conf
  chroot "$root" systemctl --quiet enable odoo

  chroot "$root" pg_ctlcluster 15 main start
  chroot "$root" runuser -u postgres -- createuser --createdb odoo
  as_odoo createdb --template=template0 --encoding=UTF8 shop
  unzip -p "$fixture" dump.sql | as_odoo psql -Xqo /dev/null -v ON_ERROR_STOP=1 -d shop
  chroot "$root" runuser -u postgres -- psql -Xqc ANALYZE -d shop
  chroot "$root" pg_ctlcluster 15 main stop

  unzip -q "$fixture" 'filestore/*' -d "$root/tmp"
  (umask 077 && mkdir -p "$root$data") # as Odoo makes it
  mkdir "$root$data/filestore"
  cp -r "$root/tmp/filestore" "$root$data/filestore/shop"
  chroot "$root" chown -R odoo: $home
  umount "$root/proc" "$root/dev/shm" "$root/tmp"
}

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9 # two runs may start at the same time
key() { sha256sum | cut -c 1-16; }

debian=$folder/debian-$(key < <(echo "$suite $packages $(uname -m)" && declare -f build_debian))
if [ ! -d "$debian" ]; then
  echo "Systemd host: Debian $suite by debootstrap" >&2
  rm -rf "$debian.partial"
  build_debian "$debian.partial"
  mv "$debian.partial" "$debian"
fi

odoo=$folder/odoo-$(key < <(echo "$debian" && declare -f build_odoo && cat "$here"/odoo.* "$fixture"))
if [ ! -d "$odoo" ]; then
  echo 'Systemd host: Odoo' >&2
  rm -rf "$odoo.partial"
  mkdir -p "$odoo.partial"/{upper,work,root}
  mount -t overlay overlay -o "lowerdir=$debian,upperdir=$odoo.partial/upper,workdir=$odoo.partial/work" "$odoo.partial/root"
  build_odoo "$odoo.partial/root" >&2
  umount "$odoo.partial/root"
  mv "$odoo.partial" "$odoo"
fi

touch "$debian" "$odoo"
find "$folder" -mindepth 1 -maxdepth 1 -type d -mtime +$unused_for_days -exec rm -rf {} +
echo "$odoo/upper:$debian"
