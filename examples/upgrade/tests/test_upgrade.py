"""The upgrade changes the version and keeps the data. Tests run in the order of the file."""


def version(host):
    return host.file("/etc/application-version").content_string.strip()


def test_version_1_is_installed(host):
    assert version(host) == "1"


def test_the_upgrade_changes_the_version_and_nothing_else(host, pg_playbook):
    result = pg_playbook("upgrade.yml")
    assert [outcome.task for outcome in result.changed] == ["Write the version"]
    assert version(host) == "2"
    assert host.file("/var/lib/application-data").content_string == "from version 1\n"


def test_the_upgrade_is_idempotent(pg_playbook):
    assert pg_playbook("upgrade.yml").changes() == ""
