#!/usr/bin/env bash
# rooted-host.sh PORT BIN empty|image: the inside of `rooted-host.ts`. Runs as root in mount and process namespaces of its own,
# becomes an Odoo host with real accounts, and says "ready".
#   PORT  of sshd on 127.0.0.1
#   BIN   PostgreSQL's programs
# Standard input: the sudoers file, an empty line, and the key that lets deploy and root in; for `image` the tar archive
# that `rooted-image.ts` has made of an empty one.
set -euo pipefail
port=$1 bin=$2 content=$3
sudoers=$(while read -r line && [ -n "$line" ]; do echo "$line"; done)
read -r key

# What changes lies in memory, over what the machine has, and only in here: mount(8), overlay.
mount -t tmpfs tmpfs /mnt
for place in etc home var; do
  mkdir -p "/mnt/$place/upper" "/mnt/$place/work"
  mount -t overlay overlay -o "lowerdir=/$place,upperdir=/mnt/$place/upper,workdir=/mnt/$place/work" "/$place"
done
mount -t tmpfs tmpfs /run
mount -t tmpfs -o mode=700 tmpfs /root # what the machine's root has its shell do is nobody else's
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p /run/sshd /run/postgresql
chown postgres: /run/postgresql

id odoo >/dev/null 2>&1 || useradd --system --user-group --home-dir /var/lib/odoo --create-home --shell /usr/sbin/nologin odoo
id deploy >/dev/null 2>&1 || useradd --create-home --shell /bin/bash deploy
echo "$key" >/etc/ssh/authorized_keys
rm -rf /etc/sudoers.d/*
printf 'Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n%s\n' "$sudoers" >/etc/sudoers
chmod 440 /etc/sudoers
visudo -cq

cluster=/var/lib/postgresql/cluster
cd /
as_postgres() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
if [ "$content" = image ]; then
  tar -xpC / # bash has read no byte behind the key
  first='SELECT 1'
else
  as_postgres "$bin/initdb" --pgdata $cluster --auth-local peer --encoding UTF8 --locale C.UTF-8 --no-sync >/dev/null
  first='CREATE ROLE odoo LOGIN CREATEDB'
fi
as_postgres "$bin/postgres" -D $cluster -c listen_addresses= -c unix_socket_directories=/run/postgresql -c fsync=off &
ssh-keygen -q -t ed25519 -N '' -f /run/sshd/key
cat >/run/sshd/config <<CONFIG
ListenAddress 127.0.0.1:$port
HostKey /run/sshd/key
PasswordAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile /etc/ssh/authorized_keys
UsePAM yes
PrintMotd no
PidFile none
CONFIG
/usr/sbin/sshd -D -e -f /run/sshd/config &
until as_postgres "$bin/psql" -Xqo /dev/null -c "$first" 2>/run/psql-error; do
  if ! kill -0 %2 || ! kill -0 %1; then cat /run/psql-error; exit 1; fi
  sleep 0.05
done
until (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do kill -0 %2; sleep 0.05; done
echo ready "$(cut -d' ' -f1,2 /run/sshd/key.pub)"
wait
