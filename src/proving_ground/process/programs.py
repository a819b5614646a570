"""Name the package that brings a program which the host lacks."""

from __future__ import annotations

from proving_ground.core.errors import PreflightError

PACKAGES = {
    "chromedriver": "chromium-driver",
    "docker": "docker.io",
    "go": "golang-go",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
"""The package of a program in Debian and Ubuntu, where it has another name."""


def not_installed(*programs: str, where: str = "") -> PreflightError:
    """The error of a host that lacks ``programs``; ``where`` is what needs them."""
    packages = " ".join(dict.fromkeys(PACKAGES.get(program, program) for program in programs))
    hint = f"install it; on Debian and Ubuntu: apt-get install {packages}"
    verb = "is" if len(programs) == 1 else "are"
    return PreflightError(f"{' and '.join(programs)} {verb} not installed", where=where, hint=hint)
