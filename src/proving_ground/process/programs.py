"""Name the package that installs a missing program."""

from __future__ import annotations

from proving_ground.core.errors import PreflightError

PACKAGES = {
    "chromedriver": "chromium-driver",
    "docker": "docker.io",
    "go": "golang-go",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
"""Program → its package in Debian and Ubuntu, if the names differ."""


def not_installed(*programs: str, where: str = "") -> PreflightError:
    """Return the error for missing ``programs``; ``where`` is what needs them."""
    packages = " ".join(dict.fromkeys(PACKAGES.get(program, program) for program in programs))
    hint = f"install it; on Debian and Ubuntu: apt-get install {packages}"
    verb = "is" if len(programs) == 1 else "are"
    return PreflightError(f"{' and '.join(programs)} {verb} not installed", where=where, hint=hint)
