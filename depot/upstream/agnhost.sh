# What upstream's image agnhost has beside its programs:
# the directory of uploads, and a user whom the image puts in a group.
mkdir -p /uploads
# The package's link to it is made when it is configured; busybox's nc has other options.
ln -sf nc.openbsd /bin/nc
# Debian's busybox as a shell prefers its own words, its `ip` for example, to the programs.
ln -sf bash /bin/sh
echo 'user-defined-in-image:x:1000:1000::/home/user-defined-in-image:/bin/sh' >>/etc/passwd
cat >>/etc/group <<'GROUPS'
user-defined-in-image:x:1000:
group-defined-in-image:x:50000:user-defined-in-image
GROUPS
# Nothing reads them in a pod.
rm -rf /usr/share/bash-completion /usr/share/bug /usr/share/perl5 /usr/lib/*/perl* /usr/lib/*/gconv /usr/share/zoneinfo
