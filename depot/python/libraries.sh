# Shared by the Pythons for nodes: brings every library that /opt/python needs, save the C library's own, and makes all
# of it find them where it lies: no environment variable is needed, and none leaks into what Ansible starts.
bring_libraries() {
  loader=$(ls /lib64/ld-linux-*.so.2 /lib/ld-linux-*.so.1 2>/dev/null | head -n 1)
  binaries=$(find /opt/python -type f \( -name '*.so*' -o -path '*/bin/*' \))
  for binary in $binaries; do
    "$loader" --list "$binary" 2>/dev/null
  done | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    grep -v -E '/(libc|libm|libdl|libpthread|librt|libutil|libresolv|libnsl)\.so\.[0-9]+$' |
    while read -r library; do
      [ -e "/opt/python/lib/${library##*/}" ] || cp -L "$library" /opt/python/lib/
    done
  for binary in $(find /opt/python -type f \( -name '*.so*' -o -path '*/bin/*' \)); do
    directory=${binary%/*}
    above=$(echo "${directory#/opt/python/}" | sed 's|[^/][^/]*|..|g')
    patchelf --set-rpath "\$ORIGIN/$above/lib" "$binary"
  done
}
