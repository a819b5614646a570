"""One test, which runs on a machine of each image."""

RELEASES = {"12": "bookworm", "13": "trixie"}


def test_the_motto_names_the_release(host):
    release = RELEASES[host.system_info.release.split(".")[0]]
    assert host.file("/etc/motto").content_string == f"test first on {release}\n"
