#!/bin/sh
# Makes a machine of its own in namespaces and becomes $RT_NODE in it, as an ordinary user: fresh /media, /run and temp folders, a network of loopback
# alone with the addresses where clouds answer, a session keyring with a secret in it. Started by ground.ts, which says in RT_USER how the user is changed.
set -e
mount -t tmpfs -o mode=1777 tmpfs /media
mkdir /media/agent-run
mount --bind "$RT_ROOT" /media/agent-run
# One that an agent can fill without harm to anything else.
mkdir /media/small
mount -t tmpfs -o mode=1777,nr_inodes=1500,size=16m small /media/small
cd /media
for folder in /run /tmp /var/tmp /dev/shm; do mount -t tmpfs -o mode=1777 tmpfs "$folder"; done
for file in /var/mail/human /var/lib/systemd/coredump/core.aws; do
  [ -d "${file%/*}" ] || continue
  mount -t tmpfs -o mode=755 tmpfs "${file%/*}"
  : >"$file"
  [ "${RT_UID:-}" = "" ] || chown "$RT_UID" "$file"
done
if [ -d /var/spool/cron ]; then
  mount -t tmpfs -o mode=755 tmpfs /var/spool/cron
  mkdir -m 1730 /var/spool/cron/crontabs
  mkdir -m 1770 /var/spool/cron/atjobs /var/spool/cron/atspool
  # Not in a user namespace, where there are no such groups: crontab and at are refused then.
  if chgrp crontab /var/spool/cron/crontabs 2>/dev/null; then chown daemon:daemon /var/spool/cron/at*; fi
fi
PATH="$PATH:/usr/sbin:/sbin"
ip link set lo up
for address in 169.254.169.254/32 169.254.170.2/32 169.254.170.23/32; do ip addr add "$address" dev lo; done
ip -6 addr add fd00:ec2::254/128 dev lo nodad 2>/dev/null || true
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
# What logind and systemd give a human on a desktop: cgroups of their own to steer, an instance of systemd, and drives that come when they ask. Cgroups are
# root's to give.
mkdir -p /run/systemd/system
chmod 1777 /run/systemd
if [ "${RT_UID:-}" ] && mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null && RT_CGROUP=$(mktemp -d /sys/fs/cgroup/red-team-XXXXXX 2>/dev/null); then
  mkdir "$RT_CGROUP/scope" "$RT_CGROUP/systemd"
  chown -R "$RT_UID:$RT_UID" "$RT_CGROUP"
  echo 0 >"$RT_CGROUP/scope/cgroup.procs"
  export RT_CGROUP
else
  RT_CGROUP=
fi
# The human's processes have numbers that none in a sandbox has: an attempt on one of them by its number hits no other.
echo 16000 >/proc/sys/kernel/ns_last_pid
mount --make-shared /media
(
  until [ -e /media/mount-here ]; do sleep 0.05; done
  mount -t tmpfs -o mode=1777 late "$(cat /media/mount-here)" && : >/media/mounted
) &
# This shell stays: the first process of a namespace is whoever orphans are given to.
# shellcheck disable=SC2086
setpriv $RT_USER /usr/bin/python3 /media/agent-run/test/red-team/keyring.py "$RT_NODE" /media/agent-run/test/red-team/range.ts "$@"
if [ "$RT_CGROUP" ]; then
  # Those that others left, who were killed before they came here, as well.
  echo 0 >/sys/fs/cgroup/cgroup.procs
  echo 1 >"$RT_CGROUP/cgroup.kill"
  for _ in 1 2 3 4 5 6 7 8; do
    [ -e "$RT_CGROUP" ] || break
    find /sys/fs/cgroup/red-team-* -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
  done
fi
