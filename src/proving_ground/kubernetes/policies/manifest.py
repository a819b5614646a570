"""Read a manifest with exactly the fields that it may have, so that a typing error does not change its meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import nearest


def fields(value: object, known: Sequence[str], where: str) -> Mapping[str, Any]:
    """Return a mapping after a look at its keys; none at all is an empty one.

    Raises:
        UsageError: it is no mapping, or has a key that is not among ``known``.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UsageError(f"{value!r} is no mapping", where=where)
    for key in value:
        if key not in known:
            raise UsageError(f"there is no field {key!r}", where=where, hint=nearest(str(key), list(known)))
    return value


def items(value: object, where: str) -> Sequence[Any]:
    """Return a list; none at all is an empty one.

    Raises:
        UsageError: it is no list.
    """
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise UsageError(f"{value!r} is no list", where=where)
    return value
