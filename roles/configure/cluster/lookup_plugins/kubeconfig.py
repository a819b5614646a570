"""Ansible lookup: the text of a kubeconfig for each of some users of a cluster, with certificates and key in it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleLookupError
from ansible.parsing.yaml.dumper import AnsibleDumper
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = """
name: kubeconfig
short_description: Kubeconfigs of a cluster's users
description:
  - Makes a kubeconfig for each user, whose certificate and key are files on the controller.
  - It holds a private key. Use it in tasks that hide their output.
options:
  _terms: {description: "Users, by the names of their certificates", type: list, elements: str, required: true}
  directory: {description: "Where C(ca.pem), C(<user>.pem) and C(<user>-key.pem) lie.", type: path, required: true}
  server: {description: URL of the API., type: str, required: true}
  context: {description: Name of the context; by default C(<user>@<cluster>)., type: str}
  cluster: {description: Name of the cluster in the file., type: str, default: proving-ground}
"""

EXAMPLES = """
- ansible.builtin.copy:
    content: "{{ lookup('kubeconfig', 'admin', directory='/etc/pki', server='https://10.0.0.1:6443') }}"
    dest: /root/.kube/config
    mode: "0600"
  no_log: true
  diff: false
"""

RETURN = """
_raw: {description: A kubeconfig for each user, in their order., type: list, elements: str}
"""


class LookupModule(LookupBase):
    """Reads certificates and keys, and writes them into kubeconfigs."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **options: Any) -> list[str]:
        """Make a kubeconfig for each user of ``terms``.

        Raises:
            AnsibleLookupError: a certificate or a key cannot be read.
        """
        self.set_options(var_options=variables, direct=options)
        return [self._kubeconfig(user) for user in terms]

    def _kubeconfig(self, user: str) -> str:
        cluster = self.get_option("cluster")
        context = self.get_option("context") or f"{user}@{cluster}"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": cluster,
                    "cluster": {
                        "server": self.get_option("server"),
                        "certificate-authority-data": self._file("ca.pem"),
                    },
                }
            ],
            "users": [
                {
                    "name": user,
                    "user": {
                        "client-certificate-data": self._file(f"{user}.pem"),
                        "client-key-data": self._file(f"{user}-key.pem"),
                    },
                }
            ],
            "contexts": [{"name": context, "context": {"cluster": cluster, "user": user}}],
            "current-context": context,
        }
        return yaml.dump(content, Dumper=AnsibleDumper, sort_keys=False, width=100_000)

    def _file(self, name: str) -> str:
        try:
            content = Path(self.get_option("directory"), name).read_bytes()
        except OSError as error:
            raise AnsibleLookupError(f"cannot read {error.filename}: {error.strerror}") from error
        return base64.b64encode(content).decode()
