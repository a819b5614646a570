"""Ask for values in files: those of a path, or of the file that an argument of a process names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from proving_ground.core.documents import read_yaml
from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.benchmark.expectation import KEYS, Expectation
from proving_ground.kubernetes.benchmark.facts import OF_PROGRAMS, Facts, Machine, values
from proving_ground.kubernetes.benchmark.question import Needs, program
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.policies.manifest import fields, items

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Source:
    """Where a document is: the file that an argument of a program names."""

    argument: str
    program: str

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Source:
        """Read ``{document: ARGUMENT, of: PROGRAM}``; raises UsageError."""
        return cls(str(manifest["document"]), program(manifest, where))

    def texts(self, facts: Facts) -> Iterator[tuple[Machine, str]]:
        """Yield machines, and the document there; raises LookupError if one has none."""
        for machine, arguments in facts.running(self.program):
            path = arguments.get(self.argument)
            if not path:
                raise LookupError(f"{machine.name}: {self.program} has no --{self.argument}")
            text = machine.documents.get(f"{self.program} {self.argument}", "")
            if not text:
                raise LookupError(f"{machine.name}: there is no {path}, or it is empty")
            yield machine, text

    def parsed(self, facts: Facts) -> Iterator[tuple[Machine, Any]]:
        """Yield machines, and the content of the YAML there; raises LookupError if it cannot be read."""
        for machine, text in self.texts(facts):
            try:
                yield machine, read_yaml(text)
            except yaml.YAMLError as error:
                raise LookupError(f"{machine.name}: the file of --{self.argument} is no YAML: {error}") from error


@dataclass(frozen=True)
class Document:
    """Values in a YAML file that an argument names: every one has to be as expected, and there has to be one."""

    source: Source
    path: str
    expected: Expectation

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Document:
        """Read ``{document: ARGUMENT, of: PROGRAM, at: PATH.OF.KEYS, …expectation}``; raises UsageError."""
        given = fields(manifest, ("document", "of", "at", *KEYS), where)
        return cls(Source.read(given, where), str(given.get("at", "")), Expectation.read(given, where))

    def needs(self, site: Site) -> Needs:  # noqa: ARG002 - as every question
        """Return the argument that names the document."""
        return Needs(arguments=((self.source.program, self.source.argument),))

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:  # noqa: ARG002 - as every question
        """Yield values that are wrong."""
        for machine, content in self.source.parsed(facts):
            for value in values(content, self.path) or [None]:
                if problem := self.expected.wrong(value):
                    yield f"{machine.name}: {self.path} in the file of --{self.source.argument} {problem}"


@dataclass(frozen=True)
class Authorities:
    """Two documents with certificates that must not share one."""

    sources: tuple[Source, ...]

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Authorities:
        """Read ``{authorities: [{document: …, of: …}, …]}``; raises UsageError."""
        given = items(fields(manifest, ("authorities",), where)["authorities"], where)
        if len(given) < 2:
            raise UsageError("authorities has fewer than two documents", where=where, hint="name two, to be compared")
        return cls(tuple(Source.read(fields(each, ("document", "of"), where), where) for each in given))

    def needs(self, site: Site) -> Needs:  # noqa: ARG002 - as every question
        """Return the arguments that name the documents."""
        return Needs(arguments=tuple((each.program, each.argument) for each in self.sources))

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:  # noqa: ARG002 - as every question
        """Yield the documents that share a certificate."""
        seen: dict[str, str] = {}
        for source in self.sources:
            for machine, text in source.texts(facts):
                where = f"--{source.argument} of {source.program}"
                certificates = {"".join(each.split()) for each in CERTIFICATE.findall(text)}
                if not certificates:
                    yield f"{machine.name}: the file of {where} has no certificate"
                for each in certificates:
                    if seen.setdefault(each, where) != where:
                        yield f"{machine.name}: {where} and {seen[each]} trust the same authority"


@dataclass(frozen=True)
class Mentions:
    """Files at a path, of which one has to contain one of several words."""

    file: str
    kind: str
    words: tuple[str, ...]

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Mentions:
        """Read ``{text: PATH, machines: KIND, mentions: [WORD, …]}``; raises UsageError."""
        given = fields(manifest, ("text", "machines", "mentions"), where)
        if given.get("machines") not in OF_PROGRAMS.values() or not given.get("mentions"):
            kinds = ", ".join(dict.fromkeys(OF_PROGRAMS.values()))
            raise UsageError("a question about text lacks machines or mentions", where=where, hint=f"machines: {kinds}")
        return cls(str(given["text"]), str(given["machines"]), tuple(map(str, items(given["mentions"], where))))

    def needs(self, site: Site) -> Needs:
        """Return the paths of the files."""
        return Needs(documents=tuple((self.kind, path) for path in site.paths_of(self.file)))

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:  # noqa: ARG002 - as every question
        """Yield machines where no file has any of the words."""
        for machine in facts.of_kind(self.kind):
            texts = [machine.documents.get(path, "") for path in site.paths_of(self.file)]
            if not any(word in text for text in texts for word in self.words):
                yield f"{machine.name}: {', '.join(site.paths_of(self.file))} mentions none of {', '.join(self.words)}"
