#!/usr/bin/env bash
# image.sh FOLDER LAYERS: makes what Compose hosts start from, kept in FOLDER and made once for what it holds, and prints
# one line for each: `images PATH`, a folder with the images `odoo` and `db` as tar files, then `KIND LAYERS`, the root
# file system of a Debian with the project, Docker or Podman, and a Compose for it, as the option `lowerdir` of an
# overlay. Needs root.
#   LAYERS  of the systemd host: its programs, its database and its filestore are those of the images
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../images.sh
source "$here/../images.sh"
layers=$2
deploy=1000 # its number
base=systemd,systemd-sysv,libpam-systemd,dbus,openssh-server,sudo,procps,python3,iptables
declare -A packages=(
  [bookworm]=$base,docker.io,docker-compose
  [trixie]=$base,docker.io,docker-cli,docker-compose
  # Besides what Podman itself takes, Docker's Compose, which can speak to it.
  [podman]=$base,podman,podman-compose,netavark,nftables,aardvark-dns,catatonit,crun,docker-compose
)

build_host() { # SUITE PACKAGES ROOT
  local root=$3
  build_debian "$@"
  ln -sf /dev/null "$root/etc/systemd/system/systemd-modules-load.service" # the modules are the machine's
  chroot "$root" useradd --uid $deploy --create-home --shell /bin/bash deploy
  ! chroot "$root" getent group docker >/dev/null || chroot "$root" usermod --append --groups docker deploy
  # Podman limits processes unless told otherwise; the machine may have no control group for that.
  mkdir -p "$root/etc/containers/containers.conf.d"
  printf '[containers]\npids_limit = 0\n' >"$root/etc/containers/containers.conf.d/tests.conf"
}

build_project() { # LAYER
  mkdir -p "$1/srv"
  cp -r "$here/project" "$1/srv/odoo"
  chown -R $deploy:$deploy "$1/srv/odoo"
}

build_images() { # FOLDER
  mkdir -p "$1"/{upper,work,root}
  mount -t overlay overlay -o "lowerdir=$layers,upperdir=$1/upper,workdir=$1/work" "$1/root"
  local pack=(tar --create --numeric-owner "--directory=$1/root" --exclude=./usr/lib/systemd --exclude=./var/log
    --exclude='./usr/lib/*/libLLVM*' --exclude='./usr/lib/*/libz3*' --exclude=./usr/lib/postgresql/15/lib/bitcode
    --exclude=./usr/share/i18n --exclude='./usr/lib/*/gconv' --exclude=./var/lib/dpkg --exclude='./usr/lib/*/systemd')
  # Odoo's image has no client of PostgreSQL here, and the database's no Odoo: each has to do with its own.
  "${pack[@]}" "--file=$1/db.tar" --exclude=./var/lib/odoo --exclude=./usr/local/bin/odoo .
  "${pack[@]}" "--file=$1/odoo.tar" --exclude=./var/lib/postgresql --exclude=./usr/lib/postgresql \
    --exclude='./usr/bin/pg_*' --exclude=./usr/bin/psql --exclude='./usr/lib/*/libicu*' \
    --exclude='./usr/lib/*/perl' --exclude=./usr/share/perl --exclude='./usr/lib/*/libperl*' .
  umount "$1/root"
  rm -r "$1"/{upper,work,root}
}

images=$folder/images-$(key < <(echo "$layers" && declare -f build_images))
made "$images" 'Compose host: images' build_images
echo "images $images"

project=$folder/project-$(tar -C "$here" -c --mtime=@0 --owner=0 --group=0 --sort=name project | key)
made "$project" 'Compose host: project' build_project
for kind in bookworm trixie podman; do
  suite=${kind/podman/trixie}
  host=$folder/$kind-$(key < <(echo "$suite ${packages[$kind]} $(uname -m) $deploy" && declare -f build_host build_debian))
  made "$host" "Compose host $kind: Debian $suite by debootstrap" build_host "$suite" "${packages[$kind]}"
  echo "$kind $project:$host"
done
drop_unused
