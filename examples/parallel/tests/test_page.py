"""Each machine serves its page."""

URL = "http://127.0.0.1:8080/"
GET = f"python3 -c 'import urllib.request as u; print(u.urlopen(\"{URL}\").read().decode())'"


def test_the_page_is_served(host):
    assert host.check_output(GET).strip() == "test first"


def test_the_page_belongs_to_root(host):
    assert host.file("/srv/page/index.html").user == "root"
