"""The strategy `mitogen_linear`, found by Ansible here and taken from the installed mitogen package.

Ansible loads strategies from folders only, and the folder of a package in a virtual environment has no fixed path;
so this file stands in a fixed one and hands over the class.
"""

from __future__ import annotations

import ansible_mitogen.loaders
import ansible_mitogen.strategy

_Linear = ansible_mitogen.loaders.strategy_loader.get("linear", class_only=True)


class StrategyModule(ansible_mitogen.strategy.StrategyMixin, _Linear):  # type: ignore[misc]
    """Ansible's linear order of tasks over connections that keep a Python running on the node."""
