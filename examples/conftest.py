"""The projects in this directory are no tests of this repository: test_examples.py runs each as its user would."""

collect_ignore_glob = ["*/*"]
