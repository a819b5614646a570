"""The providers of machines: Docker, libvirt, VirtualBox."""
