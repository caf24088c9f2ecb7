#!/usr/bin/env bash
# ceph.sh FOLDER [SUITE]: puts Ceph's programs in place and prints the root they lie under ("/" when they are installed).
#
# Debian's packages are downloaded by a private apt, which checks their signatures, and unpacked into FOLDER: no root
# needed, nothing is installed or configured. Without SUITE, the newest one that can be had wins; radosgw differs a lot
# between them.
# Where the machine's apt knows no Debian mirror (Ubuntu), the distribution's own packages are used instead.
# The mirror is whatever the machine's own apt uses.
set -euo pipefail
export LC_ALL=C
folder=$1
read -ra suites <<<"${2:-forky trixie bookworm}"
packages=(radosgw ceph-mon ceph-osd ceph-base)
# What Debian's packages depend on and these programs never open.
unneeded='ceph-volume|lvm2|dmsetup|dmeventd|sudo|systemd.*|smartmontools|nvme-cli|binutils.*|cryptsetup.*|xfsprogs|e2fsprogs|passwd|login.*|parted|python3.*|libpython3.*|openssl|libcephfs.*|udev|perl.*|debconf|adduser|util-linux|mount|dpkg|tar|bash|coreutils|psmisc|procps|fonts.*|tzdata|gawk|media-types|mailcap|sgml-base|xml-core|libjs.*|libgprofng.*'

unpack_suite() { # SUITE: fails where any package cannot be had
  local suite=$1 mirror=$2 work=$folder/unpacking
  rm -rf "$work"
  mkdir -p "$work"/{root,debs,apt/preferences.d,apt/lists/partial,apt/cache/archives/partial}
  : >"$work/apt/status"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite" >"$work/apt/sources.list"
  local apt=(apt-get -qq -o "Dir::Etc=$work/apt" -o "Dir::Etc::sourcelist=$work/apt/sources.list"
    -o Dir::Etc::sourceparts=/nonexistent -o "Dir::State=$work/apt" -o "Dir::State::status=$work/apt/status"
    -o "Dir::Cache=$work/apt/cache" -o APT::Install-Recommends=false -o Debug::NoLocking=1
    -o "APT::Sandbox::User=$(id -un)" -o Acquire::Languages=none)
  "${apt[@]}" update || return 1
  local names
  names=$("${apt[@]}" --simulate install "${packages[@]}" | sed -n 's/^Inst \([^ ]*\) .*/\1/p' | grep -Evx "$unneeded") || return 1
  # shellcheck disable=SC2086 # one word a package
  (cd "$work/debs" && "${apt[@]}" download $names) || return 1
  # Debian's merged /usr: /lib is a link to /usr/lib.
  for name in bin sbin lib lib64; do mkdir -p "$work/root/usr/$name" && ln -s "usr/$name" "$work/root/$name"; done
  local deb
  for deb in "$work"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" |
      tar -x -C "$work/root" --keep-directory-symlink --no-same-owner --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' || return 1
  done
  mv "$work/root" "$folder/$suite" && rm -rf "$work"
}

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9 # two runs may start at the same time
for suite in "${suites[@]}"; do
  if [ -d "$folder/$suite" ]; then echo "$folder/$suite"; exit; fi
done
if [ $# -lt 2 ] && command -v radosgw >/dev/null && command -v ceph-mon >/dev/null && command -v ceph-osd >/dev/null; then echo /; exit; fi

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1 || true)
if [ -n "$mirror" ]; then
  for suite in "${suites[@]}"; do
    echo "Ceph: unpacking the packages of Debian $suite" >&2
    if unpack_suite "$suite" "$mirror" >&2; then echo "$folder/$suite"; exit; fi
  done
fi
if [ $# -lt 2 ] && [ "$(id -u)" = 0 ] && apt-get install -y --no-install-recommends "${packages[@]}" >&2; then echo /; exit; fi
echo 'Ceph cannot be had: run apt-get install radosgw ceph-mon ceph-osd ceph-base, or set S3_TEST_ENDPOINT' >&2
exit 1
