"""Ask for modes and owners of files and directories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import nearest
from proving_ground.kubernetes.benchmark.facts import KINDS, Facts, File
from proving_ground.kubernetes.benchmark.question import Needs
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.policies.manifest import fields


@dataclass(frozen=True)
class Files:
    """Files on every machine of a kind: none may have a bit that ``mode`` lacks, or another owner.

    Attributes:
        file: a path, a pattern of a shell, or a name of the site's paths in braces.
        kind: the kind of machine.
        mode: the most that is allowed; None for any.
        owner: ``user:group``; empty for any.
        present: whether there has to be one; without, there must be none.
    """

    file: str
    kind: str
    mode: int | None = None
    owner: str = ""
    present: bool = True

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Files:
        """Read ``{file: PATH, machines: KIND, mode: "600", owner: …}``, or ``present: false``; raises UsageError."""
        given = fields(manifest, ("file", "machines", "mode", "owner", "present"), where)
        kind = str(given.get("machines"))
        if kind not in KINDS:
            raise UsageError(f"unknown kind of machine {kind!r}", where=f"{where}: machines", hint=nearest(kind, KINDS))
        if not {"mode", "owner", "present"} & set(given):
            raise UsageError(
                "a question about a file expects nothing of it", where=where, hint="add mode, owner or present"
            )
        mode = int(str(given["mode"]), 8) if "mode" in given else None
        return cls(str(given["file"]), kind, mode, str(given.get("owner", "")), bool(given.get("present", True)))

    def needs(self, site: Site) -> Needs:
        """Return the paths whose modes and owners are asked for."""
        return Needs(files=tuple((self.kind, path) for path in site.paths_of(self.file)))

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:  # noqa: ARG002 - as every question
        """Yield files that others may touch, and paths at which there is none."""
        for machine in facts.of_kind(self.kind):
            for pattern in site.paths_of(self.file):
                found = machine.at(pattern)
                if self.present and not found:
                    yield f"{machine.name}: there is no {pattern}"
                for each in found:
                    if problem := self._problem(each):
                        yield f"{machine.name}: {each.path} {problem}"

    def _problem(self, file: File) -> str:
        if not self.present:
            return "is there"
        problems = []
        if self.mode is not None and file.mode & ~self.mode & 0o7777:
            problems.append(f"has the mode {file.mode:o}, which allows more than {self.mode:o}")
        if self.owner and file.owner != self.owner:
            problems.append(f"belongs to {file.owner}, not {self.owner}")
        return " and ".join(problems)
