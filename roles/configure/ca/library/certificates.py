#!/usr/bin/python
"""Ansible module: makes all certificates and keys of a cluster in one task, and only those that have to be made."""

from __future__ import annotations

import datetime
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.certificate_plan import Pair, PlanError, Wanted, plan, reason_to_issue
from ansible.module_utils.certificate_store import Store

DOCUMENTATION = """
module: certificates
short_description: Certificates and keys of a cluster, made in one go
description:
  - Makes authorities, certificates signed by them, the key pair for service accounts and the key for secrets at rest.
  - What is there and will do is left alone.
options:
  directory: {description: Where the files lie., type: path, required: true}
  authorities: {description: Name and common name of each authority., type: list, elements: dict, required: true}
  certificates: {description: What to have signed by whom., type: list, elements: dict, required: true}
  groups: {description: Group name to host name to address., type: dict, required: true}
  authority_days: {description: Lifetime of an authority., type: int, required: true}
  certificate_days: {description: Lifetime of a certificate., type: int, required: true}
  renew_before_days: {description: How long before its end one is replaced., type: int, required: true}
"""

RETURN = """
reasons:
  description: Name of everything that was made or mended, and why.
  type: dict
  returned: always
"""


def make(
    store: Store, wanted: list[Wanted], now: datetime.datetime, renew_before: datetime.timedelta
) -> dict[str, str]:
    """Make what has to be made.

    Args:
        store: where the files lie.
        wanted: certificates to have, issuers first.
        now: the present, with a time zone.
        renew_before: how long before its end a certificate is replaced.

    Returns:
        Name → reason, of everything that was made or mended (or would be, in a dry run).
    """
    # Before anything is written, so that files just made do not count as mended.
    reasons = dict.fromkeys(store.close_permissions(), "others could read it")
    pairs: dict[str, Pair] = {}
    for item in wanted:
        issuer = pairs[item.issuer] if item.issuer else None
        pair = store.pair(item.name)
        reason = reason_to_issue(item, pair, issuer, now, renew_before)
        if reason:
            reasons[item.name] = reason
            pair = store.issue(item, issuer, now)
        pairs[item.name] = pair
    for name, reason in (("service-account", store.service_account()), ("encryption-key", store.encryption_key())):
        if reason:
            reasons[name] = reason
    return reasons


def main() -> None:
    """Read the task's arguments, make the certificates, report names and reasons."""
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "authorities": {"type": "list", "elements": "dict", "required": True},
            "certificates": {"type": "list", "elements": "dict", "required": True},
            "groups": {"type": "dict", "required": True},
            "authority_days": {"type": "int", "required": True},
            "certificate_days": {"type": "int", "required": True},
            "renew_before_days": {"type": "int", "required": True},
        },
        supports_check_mode=True,
    )
    arguments = module.params
    try:
        wanted = plan(
            arguments["authorities"],
            arguments["certificates"],
            arguments["groups"],
            authority_days=arguments["authority_days"],
            certificate_days=arguments["certificate_days"],
            renew_before_days=arguments["renew_before_days"],
        )
        store = Store(Path(arguments["directory"]), dry_run=module.check_mode)
        renew_before = datetime.timedelta(days=arguments["renew_before_days"])
        reasons = make(store, wanted, datetime.datetime.now(datetime.UTC), renew_before)
    except (PlanError, KeyError, OSError) as error:
        module.fail_json(msg=f"{type(error).__name__}: {error}")
    module.exit_json(changed=bool(reasons), reasons=reasons)


if __name__ == "__main__":
    main()
