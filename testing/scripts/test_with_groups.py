"""``scripts/with-groups``: member of the new groups at once, and otherwise who one was before."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ID = """#!/bin/sh
case "$*" in
    -u) echo "$IS" ;;
    -un) echo alice ;;
    -nG) echo "$IN" ;;
    -gn) echo "$FIRST" ;;
    "-nG alice") echo alice $MEMBER_OF ;;
    "-gn alice") echo alice ;;
    *) exit 99 ;;
esac
"""
SG = """#!/bin/sh
echo "sg $1" >&2
case " $IN " in *" $1 "*) ;; *) IN="$1 $IN" ;; esac
export IN FIRST="$1"
exec sh -c "$3"
"""


def run(
    tmp_path: Path, member_of: str, *command: str, user: str = "1000", first: str = "alice"
) -> subprocess.CompletedProcess[str]:
    """Run a command as a user who has become a member of groups since the login."""
    for name, text in {"id": ID, "sg": SG}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    state = {"IS": user, "IN": "alice", "FIRST": first, "MEMBER_OF": member_of}
    environment = {**os.environ, **state, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    return subprocess.run(
        [ROOT / "scripts" / "with-groups", *command], env=environment, capture_output=True, text=True, check=True
    )


@pytest.mark.parametrize("member_of", ["docker", "libvirt", "docker libvirt", "wheel docker"])
def test_a_new_member_is_in_the_groups_and_keeps_the_first_one(tmp_path: Path, member_of: str) -> None:
    """Files go by the first group, and newuidmap (mmdebstrap without root) refuses another one than the user's own."""
    done = run(tmp_path, member_of, "sh", "-c", 'echo "$FIRST: $IN"')
    first, _, groups = done.stdout.strip().partition(": ")
    assert first == "alice"
    assert set(groups.split()) == {"alice", *member_of.split()} - {"wheel"}


def test_nothing_is_changed_for_root_or_who_is_a_member_of_none(tmp_path: Path) -> None:
    assert run(tmp_path, "docker", "true", user="0").stderr == ""
    assert run(tmp_path, "wheel", "true").stderr == ""
    assert run(tmp_path, "wheel", "true", first="wheel").stderr == "", "another first group is the user's own choice"


def test_words_reach_the_command_as_they_are(tmp_path: Path) -> None:
    words = ["two words", "a 'quote'", "$HOME", ""]
    assert run(tmp_path, "docker libvirt", "printf", r"%s\n", *words).stdout.split("\n")[:-1] == words
