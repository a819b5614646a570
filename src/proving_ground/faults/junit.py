"""Read the tests of a run from its JUnit results, which have the attributes of pytest's family ``xunit1``."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from proving_ground.faults.verdict import Case

OUTCOMES = {"failure": "failed", "error": "error", "skipped": "skipped"}
"""Element of a test case → outcome; a case without one has passed."""


def cases(path: Path) -> list[Case]:
    """Return the tests in the order in which they ran; empty if the run wrote no results."""
    if not path.exists():
        return []
    return [_case(each) for each in ElementTree.parse(path).iter("testcase")]


def _case(element: ElementTree.Element) -> Case:
    file, module = element.get("file", ""), element.get("classname", "")
    # The class of a test stands behind its module: tests.test_web.TestPage.
    inner = module.removeprefix(file.removesuffix(".py").replace("/", ".")).strip(".")
    nodeid = "::".join(part for part in (file, *inner.split("."), element.get("name", "")) if part)
    found = sorted((each for each in element if each.tag in OUTCOMES), key=lambda each: each.tag == "skipped")
    outcome = OUTCOMES[found[0].tag] if found else "passed"
    message = " ".join(found[0].get("message", "").split()) if found else ""
    return Case(nodeid, outcome, float(element.get("time", 0)), message[:200])
