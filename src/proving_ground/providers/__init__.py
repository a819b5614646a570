"""What runs machines: Docker, libvirt, VirtualBox."""
