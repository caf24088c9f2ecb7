#!/usr/bin/env bash
# image.sh FOLDER TRIXIE: makes the root file systems of Debian hosts with a real Odoo, kept in FOLDER and made once for what they hold, and
# prints a line for each: its version, and the layers as the option `lowerdir` of an overlay. Needs root.
#   TRIXIE  the root file system of a Debian 13, as of a systemd host
#   19  Debian sid's, on trixie with PostgreSQL 17
#   14  of bullseye, with PostgreSQL 13
# Its database `shop` has the addon of ticket/ installed, whose code is a git checkout of deploy's in /opt/erp: at the first commit,
# while the branch `main` of its remote is at the second one, and `broken` beyond that.
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../images.sh
source "$here/../images.sh"
trixie=$2
packages=systemd,systemd-sysv,libpam-systemd,dbus,openssh-server,postgresql,sudo,zstd,procps,python3,python3-psycopg2
declare -A suites=([19]='trixie sid' [14]=bullseye)

install_odoo() { # ROOT VERSION SUITE…: from the last of the suites, with what it needs from the first
  local root=$1 version=$2 mirror suite
  shift 2
  read -r _ mirror _ <"$root/etc/apt/sources.list" # as debootstrap has written it
  cp --remove-destination /etc/resolv.conf "$root/etc/resolv.conf"
  for suite; do
    echo "deb $mirror $suite main"
  done >"$root/etc/apt/sources.list"
  printf 'Package: *\nPin: release n=sid\nPin-Priority: 100\n' >"$root/etc/apt/preferences"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # nothing is started
  chmod 755 "$root/usr/sbin/policy-rc.d"
  # A mirror may lag behind, or a clock go ahead: the signatures count all the same.
  chroot "$root" apt-get update --option Acquire::Check-Valid-Until=false --option Acquire::Languages=none
  chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    --option Dpkg::Options::=--path-exclude=/usr/share/doc/* "odoo-$version" git
  rm -rf "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
    "$root"/usr/share/{doc,man}/* "$root/usr/sbin/policy-rc.d" "$root/etc/apt/preferences"
}

make_checkout() { # ROOT: three commits, of which the first is checked out
  local root=$1
  as_deploy() { chroot "$root" runuser -u deploy -- env HOME=/home/deploy "$@"; }
  commit() { # VERSION WORDS
    cp -r "$here/ticket/$1/." "$root/tmp/erp/ticket"
    chroot "$root" chown -R deploy: /tmp/erp
    as_deploy git -C /tmp/erp add --all
    as_deploy git -C /tmp/erp -c user.name=Deploy -c user.email=deploy@example.com commit --quiet --message "$2"
  }
  install -d -m 755 "$root/tmp/erp/ticket" "$root/srv/erp.git" "$root/opt/erp"
  chroot "$root" chown deploy: /tmp/erp /srv/erp.git /opt/erp
  as_deploy git init --quiet --initial-branch=main /tmp/erp
  commit 1 'Tickets'
  as_deploy git clone --quiet --bare /tmp/erp /srv/erp.git
  as_deploy git clone --quiet /srv/erp.git /opt/erp
  commit 2 'Tickets: time in minutes'
  as_deploy git -C /tmp/erp push --quiet /srv/erp.git main
  as_deploy git -C /tmp/erp switch --quiet --create broken
  commit broken 'Tickets: priorities'
  as_deploy git -C /tmp/erp push --quiet /srv/erp.git broken
}

build_odoo() { # DEBIAN VERSION SUITES LAYER
  local debian=$1 version=$2 suites=$3 layer=$4 postgresql
  local root=$layer/root
  mkdir -p "$layer"/{upper,work,root}
  mount -t overlay overlay -o "lowerdir=$debian,upperdir=$layer/upper,workdir=$layer/work" "$root"
  mount -t proc proc "$root/proc"
  mount -t tmpfs tmpfs "$root/dev/shm"
  mount -t tmpfs tmpfs "$root/tmp"
  chmod 1777 "$root/tmp"

  # shellcheck disable=SC2086 # several words
  install_odoo "$root" "$version" $suites
  chroot "$root" useradd --create-home --shell /bin/bash deploy
  make_checkout "$root"
  printf '%s\n' '[options]' 'db_host = False' 'db_port = False' 'db_user = odoo' 'db_password = False' 'db_name = shop' \
    'addons_path = /usr/lib/python3/dist-packages/odoo/addons,/opt/erp' >"$root/etc/odoo/odoo.conf"
  chroot "$root" chown odoo: /etc/odoo/odoo.conf
  chmod 640 "$root/etc/odoo/odoo.conf"
  chroot "$root" systemctl --quiet enable odoo

  postgresql=$(ls "$root/etc/postgresql")
  chroot "$root" pg_ctlcluster "$postgresql" main start
  chroot "$root" runuser -u postgres -- createuser --createdb odoo || true # the package may have made it
  chroot "$root" runuser -u odoo -- odoo --config /etc/odoo/odoo.conf --logfile= --init base,ticket \
    --stop-after-init --no-http --max-cron-threads=0 --log-level=warn
  chroot "$root" pg_ctlcluster "$postgresql" main stop
  umount "$root/proc" "$root/dev/shm" "$root/tmp" "$root"
}

addon=$(tar -C "$here" -c --mtime=@0 --owner=0 --group=0 --sort=name ticket | key)
for version in 19 14; do
  read -r suite _ <<<"${suites[$version]}"
  debian=$trixie
  if [ "$suite" != trixie ]; then
    debian=$folder/debian-$(key < <(echo "$suite $packages $(uname -m)" && declare -f build_debian))
    made "$debian" "Odoo host: Debian $suite by debootstrap" build_debian "$suite" "$packages"
  fi
  odoo=$folder/odoo-$(key < <(echo "$debian $addon ${suites[$version]}" && declare -f build_odoo install_odoo make_checkout))
  made "$odoo" "Odoo host: Odoo $version on $suite" build_odoo "$debian" "$version" "${suites[$version]}"
  echo "$version $odoo/upper:$debian"
done
drop_unused
