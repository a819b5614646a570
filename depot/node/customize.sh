# Runs inside the new root file system, after its packages are configured and the overlay is in place.
set -eu

groupadd --gid 500 core
useradd --uid 500 --gid 500 --create-home --shell /bin/bash core
# Not "!": sshd without PAM takes that for a locked account.
usermod --password '*' core
install -d -o core -g core -m 0700 /home/core/.ssh
install -d -m 0755 /opt/bin /opt/cni/bin /etc/ssh/authorized_keys.d /usr/lib/modules

# No unit of these has anything to do on a node that lives for minutes; what is masked cannot fail either.
systemctl mask --quiet \
  getty.target console-getty.service getty@.service serial-getty@.service container-getty@.service \
  systemd-timesyncd.service systemd-resolved.service systemd-pstore.service systemd-logind.service \
  systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-ask-password-wall.path \
  systemd-ask-password-console.path systemd-journal-flush.service systemd-hwdb-update.service \
  systemd-machine-id-commit.service systemd-network-generator.service systemd-networkd-wait-online.service \
  systemd-firstboot.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount dev-hugepages.mount \
  dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
  sys-fs-fuse-connections.mount modprobe@.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer motd-news.timer systemd-tmpfiles-clean.timer
systemctl enable --quiet ssh.service ssh-host-key.service usr.mount iptables-backend.service private-network.service \
  systemd-networkd.service
systemctl set-default --quiet multi-user.target

rm -f /etc/ssh/ssh_host_* /usr/lib/sysctl.d/*.conf /etc/sysctl.d/*.conf /etc/init.d/* /etc/rc?.d/*
chmod 0440 /etc/sudoers.d/core
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id
ln -s /etc/machine-id /var/lib/dbus/machine-id

# The package manager, and what only its scripts need, go last; from here on a node is what it is.
for package in perl-base debconf adduser apt gpgv debian-archive-keyring ucf dpkg; do
  list=/var/lib/dpkg/info/$package.list
  [ -e "$list" ] || continue
  while read -r path; do
    # A link to a directory (/bin, /sbin) is everybody's.
    [ -d "$path" ] || rm -f "$path"
  done <"$list"
done
# mmdebstrap wants to remove this one file itself.
find /etc/apt -type f ! -name 00mmdebstrap -delete
rm -rf /var/lib/dpkg /etc/dpkg /usr/lib/dpkg /usr/share/dpkg /usr/libexec/dpkg /var/lib/apt /usr/lib/apt /var/cache/* /var/log/* \
  /usr/lib/*-linux-gnu/perl-base /usr/share/perl5 /usr/share/debconf /usr/share/doc /usr/share/man /usr/share/info \
  /usr/share/locale /usr/share/lintian /usr/share/bug /usr/share/bash-completion /usr/share/zsh \
  /usr/share/common-licenses /usr/lib/udev/hwdb.d /usr/share/zoneinfo
