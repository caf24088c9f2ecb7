#!/usr/bin/env bash
# boot.sh LAYERS ADDRESS PEER [IMAGES]: boots a host from what image.sh has printed, in namespaces of its own, as PEER;
# the machine outside becomes ADDRESS to it (both in one /30). What the host changes lies in memory. Needs root.
#   IMAGES  a folder that the host sees as /images; it may run containers of its own then
# Standard input: its sudoers lines, an empty line, and the key that lets deploy in.
# Ends when it gets SIGTERM, and then nothing is left: no process, mount or network interface (the kernel sees to that,
# even when this script is killed), and no control group.
set -euo pipefail
export LC_ALL=C.UTF-8
layers=$1 address=$2 peer=$3 images=${4-}

if [ "${5-}" != inside ]; then
  # nspawn keeps its control groups (`--keep-unit`) below the one it is started in: one of the host's own.
  groups=()
  while IFS=: read -r _ controllers path; do
    case $controllers in
      name=systemd) hierarchy=/sys/fs/cgroup/systemd ;;
      '') hierarchy=/sys/fs/cgroup && [ -e $hierarchy/cgroup.procs ] || hierarchy=/sys/fs/cgroup/unified ;;
      *) continue ;;
    esac
    groups+=("$hierarchy${path%/}/odoo-backup-host-$$")
  done </proc/self/cgroup
  clean_up() {
    exec >/dev/null 2>&1 # who listened may be gone
    [ -z "${host-}" ] || kill -KILL "$host" 2>/dev/null || true
    wait
    local group
    for group in "${groups[@]}"; do
      # The kernel takes a moment to bury what it has killed.
      for _ in {1..100}; do
        [ -d "$group" ] || break
        find "$group" -depth -type d -exec rmdir {} + || sleep 0.05
      done
    done
  }
  trap clean_up EXIT
  trap 'exit 143' TERM INT HUP
  mkdir "${groups[@]}"
  exec 3<&0 # a background command's standard input is /dev/null
  (
    for group in "${groups[@]}"; do echo "$BASHPID" >"$group/cgroup.procs"; done
    exec setpriv --pdeathsig KILL unshare --mount --net bash "${BASH_SOURCE[0]}" "$layers" "$address" "$peer" "$images" inside <&3
  ) &
  host=$!
  wait "$host"
  exit
fi

outside() { nsenter "--net=/proc/$PPID/ns/net" "$@"; }
interface=odoo-$PPID
ip link set lo up
ip link add host0 type veth peer name "$interface" netns "$PPID"
outside ip address add "$address/30" dev "$interface"
outside ip link set "$interface" up
ip address add "$peer/30" dev host0
ip link set host0 up

mount -t tmpfs tmpfs /mnt
root=/mnt/root
mkdir /mnt/{upper,work,root}
mount -t overlay overlay -o "lowerdir=$layers,upperdir=/mnt/upper,workdir=/mnt/work" $root
echo odoo-host >$root/etc/hostname
printf '127.0.0.1 localhost odoo-host\n' >$root/etc/hosts
while read -r line && [ -n "$line" ]; do echo "$line"; done >$root/etc/sudoers.d/odoo-backup
chmod 440 $root/etc/sudoers.d/odoo-backup
chroot $root visudo -cq
mkdir -m 700 $root/home/deploy/.ssh
cat >$root/home/deploy/.ssh/authorized_keys
chroot $root chown -R deploy: /home/deploy/.ssh
chroot $root ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key # an RSA key takes a second

# The systemd of trixie refuses the first version of control groups.
! grep -q VERSION_CODENAME=trixie $root/etc/os-release || export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1

containers=()
if [ -n "$images" ]; then
  # What Docker and Podman take: all rights, a control group that it may divide, and a folder that is no overlay.
  export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=1
  mkdir -p /mnt/containers $root/images
  containers=(--capability=all --system-call-filter=add_key --system-call-filter=keyctl --system-call-filter=bpf
    --bind=/mnt/containers:/var/lib/docker --bind=/mnt/containers:/var/lib/containers --bind-ro="$images:/images")
fi

# Killing the first process of a process namespace kills them all.
exec unshare --pid --fork --kill-child --mount-proc systemd-nspawn --quiet --boot --register=no --keep-unit \
  --directory=$root --machine=odoo-host --network-namespace-path=/proc/self/ns/net \
  --resolv-conf=off --timezone=off --link-journal=no --console=pipe "${containers[@]}" </dev/null
