"""YAML is read quickly, and what is wrong with it is told as exactly as PyYAML can."""

from __future__ import annotations

import pytest
import yaml

from proving_ground.core.documents import LOADER, read_yaml


def test_the_content_of_a_document_is_what_pyyaml_says() -> None:
    text = "a: [1, two, 3.0, null]\nb: {c: yes}\n"
    assert read_yaml(text) == yaml.safe_load(text)


def test_the_place_of_an_error_is_where_the_list_begins() -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        read_yaml("- hosts: [etcd")
    with pytest.raises(yaml.YAMLError) as expected:
        yaml.safe_load("- hosts: [etcd")
    assert str(caught.value) == str(expected.value)


def test_no_document_makes_objects() -> None:
    with pytest.raises(yaml.YAMLError):
        read_yaml("!!python/object/apply:os.getcwd []")
    assert issubclass(LOADER, yaml.SafeLoader) or LOADER.__name__ == "CSafeLoader"
