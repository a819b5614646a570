# Runs inside the unpacked packages: makes the CPython for nodes, which is in /tree/usr/lib/python already, a system extension.
set -eu
mkdir -p /tree/usr/bin /tree/usr/lib/extension-release.d
ln -s ../lib/python/bin/python3 /tree/usr/bin/python3
# systemd merges it only into a system of this ID and version: it needs that system's C library.
printf 'ID=proving-ground\nVERSION_ID=12\n' >/tree/usr/lib/extension-release.d/extension-release.python
