"""Read YAML with PyYAML's parser in C where it is installed; the parser in Python takes ten times as long."""

from __future__ import annotations

from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Any:
    """Return the content of a YAML document; raises yaml.YAMLError."""
    try:
        return yaml.load(text, Loader=LOADER)
    except yaml.YAMLError:
        return yaml.safe_load(text)  # fails as well, and its error names the place more exactly
