"""A package that is not installed is named together with the extra that brings it."""

from __future__ import annotations

import pytest

from proving_ground.core.errors import PreflightError
from proving_ground.core.extras import require


def test_a_missing_package_is_one_line_with_the_extra_that_brings_it() -> None:
    with pytest.raises(PreflightError) as caught:
        require("python-of-the-moon", extra="moon", where="machines")
    words = "machines: python-of-the-moon is not installed — pip install 'pytest-proving-ground[moon]'"
    assert (str(caught.value), caught.value.exit_code) == (words, 12)


def test_an_installed_package_is_no_error() -> None:
    require("pytest", extra="moon", where="machines")
