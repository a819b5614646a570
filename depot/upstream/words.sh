# Gives every word of busybox that no other package brings its link, and the image a root user.
set -eu
mkdir -p /etc /home /root /run /tmp /var/log /var/run
chmod 1777 /tmp
for word in $(busybox --list); do
  [ -e "/bin/$word" ] || [ -e "/sbin/$word" ] || ln -s busybox "/bin/$word"
done
cat >/etc/passwd <<'USERS'
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
USERS
cat >/etc/group <<'GROUPS'
root:x:0:
nogroup:x:65534:
GROUPS
echo 'hosts: files dns' >/etc/nsswitch.conf
