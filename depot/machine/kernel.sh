# Runs inside the unpacked packages: leaves in /tree a virtual machine's kernel, its modules, and a first file system that
# mounts the root. Debian's own one is made on the machine it is for and takes longer to start than all the rest.
set -eu
version=$(ls /usr/lib/modules)
modules=/tree/root/usr/lib/modules
mkdir -p "$modules" /first/bin /first/modules /first/proc /first/dev /first/root
cp "/boot/vmlinuz-$version" /tree/vmlinuz
cp -a "/usr/lib/modules/$version" "$modules/"
# What no virtual machine has, nor any node uses: less to write, less to look through when a module is loaded.
for path in arch/x86/kvm drivers/comedi drivers/hid drivers/infiniband drivers/md drivers/mtd drivers/scsi drivers/staging \
  drivers/target drivers/net/ethernet drivers/gpu drivers/hv drivers/xen fs/btrfs fs/ceph fs/nfs fs/nfsd fs/smb fs/xfs \
  fs/ocfs2 fs/jfs fs/reiserfs fs/ubifs fs/dlm fs/gfs2 fs/f2fs fs/afs net/sunrpc net/tipc net/ceph net/openvswitch \
  net/sctp net/rxrpc; do
  rm -rf "$modules/$version/kernel/$path"
done
/usr/sbin/depmod -b /tree/root/usr -a "$version"
# The disk's drivers and what they need, in the order in which they can be loaded.
for name in virtio_pci virtio_blk; do
  /usr/sbin/modprobe -d /tree/root/usr -S "$version" --show-depends "$name"
done | while read -r _ path; do
  [ -e "/first/modules/${path##*/}" ] && continue
  cp "$path" /first/modules/
  echo "${path##*/}" >>/first/modules/order
done
[ -s /first/modules/order ]
cp /bin/busybox /first/bin/busybox
for word in sh mount umount insmod switch_root mkdir cat sleep tr base64; do
  ln -s busybox "/first/bin/$word"
done
cd /first
find . | sort | cpio -o -H newc >/tree/initrd
