def test_each_knows_the_other(host, pg_node, pg_topology):
    (other,) = (node.name for node in pg_topology.nodes if node.name != pg_node.name)
    assert host.file("/etc/peers").content_string.split()[0] == other
