"""The depot: builds the software for nodes once into the user's cache, keyed by content."""

from proving_ground.depot.depot import Depot, ensure
from proving_ground.depot.view import View, read

__all__ = ["Depot", "View", "ensure", "read"]
