# Runs inside the unpacked packages: leaves keepalived and curl in /opt/keepalived, with every library that they need,
# save the C library's own, to work there on nodes that have neither.
set -eu
mkdir -p /opt/keepalived/bin /opt/keepalived/lib
cp /usr/sbin/keepalived /usr/bin/curl /opt/keepalived/bin/
loader=$(ls /lib64/ld-linux-*.so.2 /lib/ld-linux-*.so.1 2>/dev/null | head -n 1)
for program in /opt/keepalived/bin/*; do
  "$loader" --list "$program"
done | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
  grep -v -E '/(libc|libm|libdl|libpthread|librt|libutil|libresolv|libnsl)\.so\.[0-9]+$' |
  while read -r library; do
    cp -L "$library" /opt/keepalived/lib/
  done
for binary in /opt/keepalived/bin/* /opt/keepalived/lib/*; do
  patchelf --set-rpath "\$ORIGIN/../lib" "$binary"
done
