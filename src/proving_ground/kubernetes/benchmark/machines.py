"""Collect what checks ask of machines, by a script for each, in one round trip; and read what they say."""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any

from proving_ground.core.errors import HarnessError
from proving_ground.kubernetes.benchmark.facts import OF_PROGRAMS, File, Machine
from proving_ground.kubernetes.benchmark.question import Needs
from proving_ground.machines.node_facts import SOCKETS, sections_of, sockets

PREFIXES = {"etcd": "ETCD_"}
"""Program → beginning of the variables that stand for its arguments."""

SECRET = r"s#(secret\"?[[:space:]]*:[[:space:]]*\"?)[A-Za-z0-9+/=]{16,}#\1hidden#g"
"""Takes the keys out of an encryption configuration, on the machine: nobody who judges it needs them."""

BEGINNING = r"""
export LC_ALL=C
content() { sed --regexp-extended --expression="$secret" "$1" 2>/dev/null | base64 --wrap=0; echo; }
echo "@@ processes"
grep --files-with-matches --text --null-data --line-regexp --no-messages --extended-regexp \
  "([^[:space:]]*/)?($programs)" "$proc"/[0-9]*/cmdline | while read -r file; do
  process=${file%/cmdline}
  echo "${process##*/} $(base64 --wrap=0 "$file") $(
    grep --text --null-data --no-messages --extended-regexp "^($prefixes)" "$process/environ" | base64 --wrap=0)"
done
value() { # PROGRAM ARGUMENT VARIABLE: what an argument of a process is, after the process' root
  for file in $(grep --files-with-matches --text --null-data --line-regexp --no-messages --extended-regexp \
    "([^[:space:]]*/)?$1" "$proc"/[0-9]*/cmdline); do
    process=${file%/cmdline}
    found=$(tr '\0' '\n' <"$file" | sed --quiet --expression="s#^--*$2=##p"
      tr '\0' '\n' <"$process/environ" | sed --quiet --expression="s#^$3=##p")
    if [ -n "$found" ]; then echo "$process/root$found"; return; fi
  done
}
"""


def script(needs: Needs, kinds: Iterable[str], proc: str = "/proc") -> str:
    """Return the script for a machine of these kinds.

    Args:
        needs: of all questions together.
        kinds: the machine's kinds; what is asked of others is left out.
        proc: where the kernel shows the machine's processes.
    """
    own = set(kinds)
    programs = [name for name, kind in OF_PROGRAMS.items() if kind in own]
    lines = [
        f"secret={shlex.quote(SECRET)}",
        f"proc={shlex.quote(proc)}",
        f"programs={shlex.quote('|'.join(programs))}",
        f"prefixes={shlex.quote('|'.join(PREFIXES.values()))}",
        BEGINNING,
        f'echo "@@ listeners"; {SOCKETS}',
        'echo "@@ files"',
    ]
    # Patterns stay unquoted, since the machine's shell has to expand them.
    if patterns := _unique(needs.files, own):
        lines.append(f"stat --dereference --format='%a %U:%G %n' {' '.join(patterns)} 2>/dev/null")
    lines.append('echo "@@ documents"')
    for pattern in _unique(needs.documents, own):
        lines.append(f'for file in {pattern}; do echo "{pattern} $(content "$file")"; done')
    for name, argument in dict.fromkeys(needs.arguments):
        if OF_PROGRAMS[name] in own:
            variable = PREFIXES.get(name, "NONE_") + argument.upper().replace("-", "_")
            lines.append(f'echo "{name}:{argument} $(content "$(value {name} {argument} {variable})")"')
    lines.append('echo "@@ clients"')
    if patterns := _unique(needs.clients, own):
        lines.append(f"grep --with-filename --no-messages client-certificate-data: {' '.join(patterns)}")
    return "\n".join((*lines, 'echo "@@ ended"'))


def _unique(wanted: Iterable[tuple[str, str]], kinds: set[str]) -> list[str]:
    return list(dict.fromkeys(pattern for kind, pattern in wanted if kind in kinds))


def collect(hosts: Mapping[str, Any], kinds: Mapping[str, Iterable[str]], needs: Needs) -> dict[str, list[Machine]]:
    """Ask all machines at the same time.

    Args:
        hosts: testinfra's hosts by the machines' names.
        kinds: kind of machine → names.
        needs: of all questions together.

    Returns:
        Kind → the machines of that kind.

    Raises:
        HarnessError: a machine's answer is not complete.
    """
    of = {name: [kind for kind, names in kinds.items() if name in names] for names in kinds.values() for name in names}

    def ask(name: str) -> Machine:
        said = hosts[name].run(script(needs, of[name]))
        return read(name, str(said.stdout), str(said.stderr))

    with ThreadPoolExecutor(max_workers=max(len(of), 1)) as threads:
        machines = dict(zip(of, threads.map(ask, of), strict=True))
    return {kind: [machines[name] for name in names] for kind, names in kinds.items()}


def read(name: str, said: str, errors: str = "") -> Machine:
    """Read a machine's answer to the script; raises HarnessError if it is not complete."""
    sections = sections_of(said)
    if "ended" not in sections:
        raise HarnessError(f"the answer to the benchmark's script is not complete: {errors.strip()}", where=name)
    return Machine(
        name,
        dict(_processes(sections["processes"])),
        tuple(_files(sections["files"])),
        dict(_documents(sections["documents"])),
        tuple(each for each in sockets(sections["listeners"]) if each.protocol == "tcp"),
        dict(_clients(sections["clients"])),
    )


def _processes(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for line in text.splitlines():
        _, command, *rest = line.split(" ")
        words = _words(command)
        name = PurePosixPath(words[0]).name if words else ""
        if name not in OF_PROGRAMS:
            continue
        prefix = PREFIXES.get(name)
        variables = [each.partition("=")[::2] for each in _words(rest[0] if rest else "")]
        found = {
            key.removeprefix(prefix).lower().replace("_", "-"): value
            for key, value in variables
            if prefix and key.startswith(prefix)
        }
        yield name, found | arguments(words[1:])


def arguments(words: list[str]) -> dict[str, str]:
    """Return argument → value; one without a value is true, and the value may be a word of its own."""
    found = {}
    for number, word in enumerate(words):
        if not word.startswith("-"):
            continue
        name, sign, value = word.lstrip("-").partition("=")
        following = words[number + 1] if number + 1 < len(words) else "-"
        found[name] = value if sign else "true" if following.startswith("-") else following
    return found


def _words(encoded: str) -> list[str]:
    return [each for each in base64.b64decode(encoded).decode(errors="replace").split("\0") if each]


def _files(text: str) -> Iterator[File]:
    for line in text.splitlines():
        mode, owner, path = line.split(" ", 2)
        yield File(path, int(mode, 8), owner)


def _documents(text: str) -> Iterator[tuple[str, str]]:
    contents: dict[str, str] = {}
    for line in text.splitlines():
        key, _, encoded = line.partition(" ")
        key = key.replace(":", " ")
        contents[key] = contents.get(key, "") + base64.b64decode(encoded).decode(errors="replace")
    yield from contents.items()


def _clients(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        path, _, entry = line.partition(":")
        try:
            yield path, base64.b64decode(entry.rpartition(":")[2].strip().strip('"'), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise HarnessError(f"the client's certificate in {path} cannot be read: {error}") from error
