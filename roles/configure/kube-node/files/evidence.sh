#!/bin/sh
# What a node that does not come up has to say: its services, its containers, and the ends of their logs.
units="flanneld containerd import-images kubelet"
echo "--- $(hostname)"
for unit in $units; do
  printf '%s: %s\n' "$unit" "$(systemctl show --property ActiveState,SubState,Result --value "$unit" | tr '\n' ' ')"
done
/opt/bin/ctr --namespace k8s.io containers list
for unit in $units; do
  journalctl --no-pager --lines 12 --output cat --unit "$unit"
done
for log in /var/log/pods/kube-system_*/*/*.log; do
  [ -e "$log" ] && echo "--- $log" && tail -n 5 "$log"
done
