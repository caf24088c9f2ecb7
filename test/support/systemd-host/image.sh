#!/usr/bin/env bash
# image.sh FOLDER FIXTURE SUITE REDUCE: makes the root file system of a Debian host that runs Odoo, in two layers that are kept in
# FOLDER and made once for what they hold, and prints them as the option `lowerdir` of an overlay. Needs root.
#   FIXTURE  a backup that Odoo wrote: it becomes the database and the filestore of `shop`
#   SUITE    of Debian: bookworm has PostgreSQL 15, trixie 17
#   REDUCE   SQL that a superuser runs in the database: it leaves what the tests need
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../images.sh
source "$here/../images.sh"
fixture=$2 suite=$3 reduce=$4
# Neither curl nor wget: the program has to do with what a host has.
packages=systemd,systemd-sysv,libpam-systemd,dbus,openssh-server,postgresql,sudo,zstd,procps,python3,python3-psycopg2

build_odoo() { # LAYER: what makes a host of Odoo of a Debian
  local root=$1/root home=/var/lib/odoo
  local data=$home/.local/share/Odoo
  local postgresql
  as_odoo() { chroot "$root" runuser -u odoo -- "$@"; }
  mkdir -p "$1"/{upper,work,root}
  mount -t overlay overlay -o "lowerdir=$debian,upperdir=$1/upper,workdir=$1/work" "$root"
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

  postgresql=$(ls "$root/etc/postgresql")
  chroot "$root" pg_ctlcluster "$postgresql" main start
  chroot "$root" runuser -u postgres -- createuser --createdb odoo
  as_odoo createdb --template=template0 --encoding=UTF8 shop
  unzip -p "$fixture" dump.sql | as_odoo psql -Xqo /dev/null -v ON_ERROR_STOP=1 -d shop
  chroot "$root" runuser -u postgres -- psql -Xqo /dev/null -v ON_ERROR_STOP=1 -d shop <<<"$reduce"
  chroot "$root" pg_ctlcluster "$postgresql" main stop

  unzip -q "$fixture" 'filestore/*' -d "$root/tmp"
  (umask 077 && mkdir -p "$root$data") # as Odoo makes it
  mkdir "$root$data/filestore"
  cp -r "$root/tmp/filestore" "$root$data/filestore/shop"
  chroot "$root" chown -R odoo: $home
  umount "$root/proc" "$root/dev/shm" "$root/tmp" "$root"
}

debian=$folder/debian-$(key < <(echo "$suite $packages $(uname -m)" && declare -f build_debian))
made "$debian" "Systemd host: Debian $suite by debootstrap" build_debian "$suite" "$packages"

odoo=$folder/odoo-$(key < <(echo "$debian $reduce" && declare -f build_odoo && cat "$here"/odoo.* "$fixture"))
made "$odoo" "Systemd host: Odoo on $suite" build_odoo
drop_unused
echo "$odoo/upper:$debian"
