"""Read YAML with the parser in C that PyYAML has nearly everywhere; the one in Python takes ten times as long."""

from __future__ import annotations

from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Any:
    """Return the content of a YAML document; raises yaml.YAMLError."""
    try:
        return yaml.load(text, Loader=LOADER)
    except yaml.YAMLError:
        return yaml.safe_load(text)  # fails as well, and tells the place more exactly
