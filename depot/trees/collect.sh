# Shared by the trees of pod images: takes the files that are named, and the libraries that these need, to /tree.
mkdir -p /tree/usr/bin /tree/usr/sbin /tree/usr/lib /tree/usr/lib64 /tree/etc /tree/tmp /tree/run /tree/var
chmod 1777 /tree/tmp
for directory in bin sbin lib lib64; do
  ln -s "usr/$directory" "/tree/$directory"
done
echo 'root:x:0:0:root:/:/bin/sh' >/tree/etc/passwd
echo 'root:x:0:' >/tree/etc/group

collect() {
  for path in "$@"; do
    mkdir -p "/tree${path%/*}"
    cp -a "$path" "/tree${path%/*}/"
  done
}

collect_libraries() {
  loader=$(ls /lib64/ld-linux-*.so.2 /lib/ld-linux-*.so.1 2>/dev/null | head -n 1)
  find /tree -type f \( -name '*.so*' -o -perm -100 \) | while read -r binary; do
    "$loader" --list "$binary" 2>/dev/null || true
  done | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^\/.*\.so/) print $i }' | sort -u | while read -r library; do
    mkdir -p "/tree${library%/*}"
    [ -e "/tree$library" ] || cp -L "$library" "/tree$library"
  done
}

# A shell and the few words that probes and people use; nslookup and wget for looking around.
collect_shell() {
  collect /bin/busybox
  for word in sh cat env false grep head id ip ls mkdir nslookup ps rm sleep tail test touch true wget; do
    [ -e "/tree/bin/$word" ] || ln -s busybox "/tree/bin/$word"
  done
}
