# What kube-proxy and calico-node call: iptables with both back ends, ipset, conntrack, ip, modprobe.
set -eu
collect /usr/sbin/xtables-nft-multi /usr/sbin/xtables-legacy-multi /usr/sbin/ip*tables-nft* /usr/sbin/ip*tables-legacy* \
  /usr/lib/*-linux-gnu/xtables /usr/sbin/ipset /usr/sbin/conntrack /bin/ip /bin/kmod /sbin/modprobe \
  /etc/protocols /etc/services
collect_shell
collect_libraries
cat >/tree/usr/sbin/iptables-choose <<'SCRIPT'
#!/bin/sh
# The first call of an iptables program in a container comes here: it finds the back end this kernel serves by the same
# trial as the node does, points every name at it, and goes on as what was called.
chain=PROVING-GROUND-TRIAL
backend=legacy
if iptables-nft -w -t nat -N "$chain" 2>/dev/null; then
  if iptables-nft -w -t nat -A "$chain" -m comment --comment trial -m statistic --mode random --probability 0.5 \
    -m conntrack --ctstate NEW -j MASQUERADE --random-fully 2>/dev/null; then
    backend=nft
  fi
  iptables-nft -w -t nat -F "$chain"
  iptables-nft -w -t nat -X "$chain"
fi
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  family=${name%%-*}
  # Renamed into place: another process may be starting it at this moment.
  ln -s "$family-$backend${name#"$family"}" "/usr/sbin/.$name.$$" && mv -f "/usr/sbin/.$name.$$" "/usr/sbin/$name"
done 2>/dev/null
called=${0##*/}
family=${called%%-*}
exec "/usr/sbin/$family-$backend${called#"$family"}" "$@"
SCRIPT
chmod 0755 /tree/usr/sbin/iptables-choose
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  rm -f "/tree/usr/sbin/$name"
  ln -s iptables-choose "/tree/usr/sbin/$name"
done
for word in ln mv; do
  ln -s busybox "/tree/bin/$word"
done
