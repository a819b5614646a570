"""Names what this repository adds to the plugin; the plugin itself comes by its entry point."""

pytest_plugins = ["fixtures.plugin"]
