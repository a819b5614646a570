"""Variables in molecule.yml stand for what Molecule takes them for."""

from __future__ import annotations

import pytest

from proving_ground.cli.migrate.interpolate import Fixed, fixed, interpolate
from proving_ground.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image: $DISTRO", "image: debian"),
        ("image: ${DISTRO}", "image: debian"),
        ("image: ${DISTRO:-rocky}9", "image: debian9"),
        ("image: ${UNKNOWN:-rocky}9", "image: rocky9"),
        ("image: ${EMPTY:-rocky}", "image: rocky"),
        ("image: ${EMPTY-rocky}", "image: "),
        ("image: ${UNKNOWN-rocky}", "image: rocky"),
        ("image: ${UNKNOWN}", "image: "),
        ("image: ${UNKNOWN:-$DISTRO}", "image: debian"),
        ('command: ${UNKNOWN:-""}', 'command: ""'),
        ("price: 5$$", "price: 5$"),
        ("run: $${DISTRO}", "run: ${DISTRO}"),
        (
            "image: ${UNKNOWN:-geerlingguy/docker-debian12-ansible:latest}",
            "image: geerlingguy/docker-debian12-ansible:latest",
        ),
    ],
)
def test_a_variable_stands_for_its_value_or_its_default(text: str, expected: str) -> None:
    assert interpolate(text, {"DISTRO": "debian", "EMPTY": ""}, where="molecule.yml") == expected


def test_a_dollar_that_begins_nothing_is_refused_with_its_line() -> None:
    with pytest.raises(UsageError, match=r"molecule\.yml:2: .* — write \$\$ for a dollar sign"):
        interpolate("a: 1\nb: cost $ 5\n", {}, where="molecule.yml")


def test_a_variable_of_the_users_is_told_of_with_its_line() -> None:
    text = "a: ${MOLECULE_PROJECT_DIRECTORY}\nb: $$C\nimage: ${DISTRO:-rocky}9\ncommand: $RUN\n"
    assert fixed(text, {"RUN": "true"}) == [
        Fixed(3, "${DISTRO:-rocky}", "DISTRO", "rocky"),
        Fixed(4, "$RUN", "RUN", "true"),
    ]
