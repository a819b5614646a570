"""What the keys of Molecule's platforms come to: carried over, without effect here, or lost, and why. Pure."""

from __future__ import annotations

WITHOUT_EFFECT = frozenset(
    {
        *("name", "pre_build_image", "override_command", "command_handling", "pull", "tty", "labels", "keep_volumes"),
        *("purge_networks", "networks_cli_compatible", "container_default_behavior", "restart_policy", "detach"),
        *("restart_retries", "stop_signal", "kill_signal", "exposed_ports", "rootless", "systemd", "memory_swap"),
        *("docker_networks", "network", "pkg_extras", "instance_raw_config_args", "config_options", "hostname"),
    }
)
"""Keys about how Molecule makes a container; machines here do not need them, or another rule looks at them."""

PREPARED = "do it in prepare.yml, or start the machines yourself and test them with the provider `existing`"

LOST = {
    "buildargs": ("a Dockerfile is built without arguments", "write their values to it: `ARG NAME=value`"),
    "cache_from": ("the engine decides what it takes from its cache", "nothing"),
    "registry": ("the engine logs in to registries", "run `docker login` once"),
    "docker_host": ("all machines are on one engine", "choose it: DOCKER_HOST, or `docker context use`"),
    "cacert_path": ("the engine's client has its own certificates", "set DOCKER_CERT_PATH"),
    "cert_path": ("the engine's client has its own certificates", "set DOCKER_CERT_PATH"),
    "key_path": ("the engine's client has its own certificates", "set DOCKER_CERT_PATH"),
    "tls_verify": ("the engine's client decides it", "set DOCKER_TLS_VERIFY"),
    "platform": ("machines have the architecture of the host", "name an image of the architecture that you want"),
    "security_opts": ("machines get the fewest rights with which they start", "add what is needed as `capabilities`"),
    "user": ("machines are entered as the setting `user` says", "set `user`, and its sudo in the image"),
    "etc_hosts": ("machines know each other by their names", PREPARED),
    "network_mode": ("machines are in a network of their own", "reach them by their address or published `ports`"),
    "interfaces": ("machines are in one network", "see `networks`"),
    "box": ("the image of virtual machines is the Vagrantfile's", "name the box in a Vagrantfile, or an `image`"),
    "box_version": ("the image of virtual machines is the Vagrantfile's", "name it in a Vagrantfile, or an `image`"),
    "box_url": ("the image of virtual machines is the Vagrantfile's", "name it in a Vagrantfile, or an `image`"),
}
"""Key → why it is not carried over, and what to do instead; other unknown keys get a general answer."""

GENERAL = ("there is no setting for it", PREPARED)
