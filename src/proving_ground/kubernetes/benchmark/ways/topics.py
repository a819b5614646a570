"""Questions that a topic names: each topic is a function that looks through all that was collected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import nearest
from proving_ground.kubernetes.benchmark.facts import Facts
from proving_ground.kubernetes.benchmark.question import OfCollected
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.policies.manifest import fields

Topics = Mapping[str, Callable[[Facts, Site, str], Iterator[str]]]
"""A topic's name in the table → yields what is wrong; its arguments are those of ``wrong``."""


@dataclass(frozen=True)
class OfTopic(OfCollected):
    """A question about one of several topics.

    Attributes:
        topic: the topic's name.
        key: of the question in the table; its value is the topic.
        topics: all topics of this kind of question.
    """

    topic: str
    key: ClassVar[str]
    topics: ClassVar[Topics]

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Self:
        """Read ``{KEY: TOPIC}``; raises UsageError."""
        topic = str(fields(manifest, (cls.key,), where)[cls.key])
        if topic not in cls.topics:
            raise UsageError(f"unknown topic {topic!r}", where=where, hint=nearest(topic, cls.topics))
        return cls(topic)

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:
        """Yield what is wrong."""
        return self.topics[self.topic](facts, site, check)
