"""Translate Molecule's platforms to machines. Pure."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from proving_ground.cli.migrate.platform_keys import GENERAL, LOST, WITHOUT_EFFECT
from proving_ground.cli.migrate.provisioner import relative
from proving_ground.cli.migrate.translation import Translation
from proving_ground.core.kinds import RESERVED
from proving_ground.core.problems import Keys
from proving_ground.providers.container_image import DOCKERFILE

NAME = re.compile(r"[A-Za-z]([A-Za-z0-9._-]{0,40}[A-Za-z0-9])?")
PORT = re.compile(r"(([0-9.]+:)?[0-9]*:)?[0-9]+(/(tcp|udp|sctp))?")
GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CGROUPS = "/sys/fs/cgroup"
SYSTEMDS_OWN = ("/run", "/run/lock")
"""File systems in memory that every container with systemd has here."""

SYSTEMDS_CAPABILITIES = ("SYS_ADMIN", "CAP_SYS_ADMIN")

UNITS = {"k": 1 / 1024, "m": 1, "g": 1024}


def machines(translation: Translation) -> dict[str, str]:
    """Translate all platforms into the settings; return platform's name → machine's name."""
    platforms: list[dict[str, Any]] = translation.scenario.content.get("platforms") or []
    init = init_of_all(translation, platforms)
    if init:
        translation.settings["init"] = init
    names: dict[str, str] = {}
    found: dict[str, dict[str, Any]] = {}
    for number, platform in enumerate(platforms):
        name = name_of(translation, number, platform, found)
        names[str(platform["name"])] = name
        found[name] = machine(translation, number, platform, systemd=not init)
    for key in ("image", "privileged"):  # one line for all machines, where it is the same for all
        values = [each.get(key) for each in found.values()]
        if values and values[0] is not None and all(value == values[0] for value in values):
            translation.settings[key] = values[0]
            for each in found.values():
                del each[key]
    if found:
        translation.settings["machines"] = found
    _network(translation, platforms)
    return names


def name_of(translation: Translation, number: int, platform: dict[str, Any], taken: dict[str, Any]) -> str:
    """Return the machine's name: the platform's, or the nearest that machines can have."""
    said = str(platform["name"])
    if NAME.fullmatch(said) and said not in taken and said not in RESERVED:
        return said
    name = re.sub(r"[^a-z0-9]+", "-", said.lower()).strip("-")[:40].rstrip("-")
    name = name if name[:1].isalpha() else f"machine-{name}".rstrip("-")
    while name in taken or name in RESERVED:
        name += "-2"
    reason = f"machines have names of letters, digits, hyphens, dots and _, a letter first; this one is called {name}"
    translation.lose(("platforms", number, "name"), reason, f"look for {said} in playbooks and tests")
    return name


def init_of(platform: dict[str, Any]) -> str:
    """Return the setting ``init`` for a platform: empty for systemd, ``none`` for a process that waits."""
    command = platform.get("command")
    if platform.get("override_command") is False or platform.get("systemd") or "box" in platform:
        return ""
    if command is None:  # Molecule's own: a loop of bash
        return "none"
    words = command if isinstance(command, list) else str(command).split()
    program = str(words[0]).rpartition("/")[2] if words else ""
    return "" if program in {"", "init", "systemd"} else "none"


def init_of_all(translation: Translation, platforms: list[dict[str, Any]]) -> str:
    """Return the setting ``init``, which is one for all machines: systemd if any platform has it."""
    found = [init_of(platform) for platform in platforms]
    if "" not in found:
        return "none" if found else ""
    for number, init in enumerate(found):
        if init:
            reason = "systemd starts on all machines or on none"
            translation.lose(("platforms", number, "command"), reason, "nothing, unless systemd disturbs this machine")
    return ""


def machine(translation: Translation, number: int, platform: dict[str, Any], *, systemd: bool) -> dict[str, Any]:
    """Return the machine of one platform, as under ``machines``."""
    where: Keys = ("platforms", number)
    found: dict[str, Any] = {"numbered": False}
    if groups := _groups(translation, where, platform):
        found["groups"] = groups
    if platform.get("image"):
        found["image"] = translation.portable(str(platform["image"]))
    _dockerfile(translation, where, platform, found)
    memory, cpus = memory_of(platform.get("memory")), platform.get("cpus")
    if memory:
        found["memory"] = memory
    if cpus:
        found["cpus"] = max(1, math.ceil(float(cpus)))
    _rights(translation, where, platform, found, systemd=systemd)
    volumes = [str(each) for each in platform.get("volumes") or []]
    found["volumes"] = [volume_of(translation, each) for each in volumes if not each.startswith(CGROUPS)]
    tmpfs = platform.get("tmpfs") or []
    listed = (
        [f"{path}:{options}" if options else path for path, options in tmpfs.items()]
        if isinstance(tmpfs, dict)
        else tmpfs
    )
    found["tmpfs"] = [each for each in listed if not (systemd and each.partition(":")[0] in SYSTEMDS_OWN)]
    found["ports"] = []
    for order, port in enumerate(str(each) for each in platform.get("published_ports") or []):
        if PORT.fullmatch(port):
            found["ports"].append(port)
        else:
            reason = "ports are published one by one, as HOST:MACHINE"
            translation.lose((*where, "published_ports", order), reason, "write a line for each port as `ports`")
    environment = platform.get("env") or platform.get("environment") or {}
    if isinstance(environment, dict):
        found["environment"] = {str(key): translation.portable(str(value)) for key, value in environment.items()}
    known = {
        "image",
        "dockerfile",
        "groups",
        "children",
        "memory",
        "cpus",
        "command",
        "privileged",
        "cgroupns_mode",
        "volumes",
        "tmpfs",
    }
    known |= {"published_ports", "capabilities", "env", "environment", "networks", *WITHOUT_EFFECT}
    for key in platform:
        if key not in known:
            translation.lose((*where, key), *LOST.get(key, GENERAL))
    return {key: value for key, value in found.items() if value not in ([], {})}


def _dockerfile(translation: Translation, where: Keys, platform: dict[str, Any], found: dict[str, Any]) -> None:
    """Name a Dockerfile as the image; Molecule makes it of a template, which nothing does here."""
    if not platform.get("dockerfile") or platform.get("pre_build_image"):
        return
    path = relative(translation, str(platform["dockerfile"]))
    file = translation.scenario.root / path
    if not file.is_file() or not DOCKERFILE.fullmatch(file.name):
        reason = f"there is no {path}" if not file.is_file() else f"{path} is not called Dockerfile"
        translation.lose((*where, "dockerfile"), reason, "name a Dockerfile as `image`")
    elif file.suffix == ".j2" or "{{" in file.read_text(encoding="utf-8"):
        reason = "a template is no Dockerfile"
        translation.lose((*where, "dockerfile"), reason, "write the Dockerfile that it makes, and name that as `image`")
    else:
        found["image"] = path


def _groups(translation: Translation, where: Keys, platform: dict[str, Any]) -> list[str]:
    """Return the platform's groups; members of a child group are members of its parents as well."""
    found = dict.fromkeys([*(platform.get("groups") or []), *(platform.get("children") or [])])
    for each in [each for each in found if each in RESERVED or not GROUP.fullmatch(each)]:
        del found[each]
        if each not in {"all", "ungrouped"}:
            reason = f"no group can be called {each}"
            translation.lose((*where, "groups"), reason, "choose another name, here and in the playbooks")
    return list(found)


def _rights(
    translation: Translation, where: Keys, platform: dict[str, Any], found: dict[str, Any], *, systemd: bool
) -> None:
    """Carry ``privileged`` over where it is not only for systemd, and never the host's control groups."""
    for number, volume in enumerate(platform.get("volumes") or []):
        if str(volume).startswith(CGROUPS):
            reason = "machines never get the host's control groups; systemd starts without"
            translation.lose((*where, "volumes", number), reason, "nothing")
    if platform.get("cgroupns_mode") == "host":
        reason = "machines never get the host's control groups; systemd starts without"
        translation.lose((*where, "cgroupns_mode"), reason, "nothing")
    capabilities = [str(each) for each in platform.get("capabilities") or []]
    found["capabilities"] = [each for each in capabilities if not (systemd and each in SYSTEMDS_CAPABILITIES)]
    if found["capabilities"] != capabilities:
        reason = "systemd starts with the fewest rights that do on this host"
        advice = f"set `capabilities = {json.dumps(capabilities)}` if the role itself needs them"
        translation.lose((*where, "capabilities"), reason, advice)
    if platform.get("privileged") is True:
        if systemd:
            reason = "systemd starts with fewer rights here"
            translation.lose((*where, "privileged"), reason, "set `privileged = true` if the role itself needs it")
        else:
            found["privileged"] = True


def volume_of(translation: Translation, said: str) -> str:
    """Return a volume as SOURCE:TARGET, paths of the project relative to it; one without a source gets a name."""
    if ":" not in said:
        return f"{said.strip('/').replace('/', '-')}:{said}"
    source, _, rest = said.partition(":")
    inside = translation.portable(source)
    return f"{inside.replace('{root}', '.', 1) if inside.startswith('{root}') else source}:{rest}"


def memory_of(said: Any) -> int | None:
    """Return MiB: of a text such as ``512m``, of Vagrant's number (MiB) or Docker's (bytes); None if none is said."""
    if isinstance(said, int) and not isinstance(said, bool):
        return max(64, said if said < 1024 * 1024 else said // 1024**2)
    found = re.fullmatch(r"\s*([0-9.]+)\s*([kmg])(?:i?b)?\s*", str(said or "").lower())
    return max(64, math.ceil(float(found[1]) * UNITS[found[2]])) if found else None


def _network(translation: Translation, platforms: list[dict[str, Any]]) -> None:
    """Carry the network over: one is enough for machines that see each other; of several the first is."""
    for number, platform in enumerate(platforms):
        for order, _ in enumerate(platform.get("networks") or []):
            if order:
                reason = "machines are in one network"
                translation.lose(("platforms", number, "networks", order), reason, "nothing, if they only have to meet")
        for network in platform.get("docker_networks") or []:
            subnets = [each.get("subnet") for each in network.get("ipam_config") or [] if each.get("subnet")]
            if subnets and str(subnets[0]).endswith(".0/24") and "networks" not in translation.settings:
                translation.settings["networks"] = {"machines": str(subnets[0])}
