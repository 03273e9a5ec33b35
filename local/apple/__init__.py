"""The simulated App Store Connect: Apple's Analytics Reports API, simulated from a seed, with a clock that can be
moved.

`World` holds the state and the rules, `AppStoreConnect` is the WSGI application, `SimulatedApple` serves it on loopback
and `mount` puts it into a `requests` session. `python -m local.apple` starts it for a person.
"""

from appstore_analytics.contract.catalogue.definition import AccessType
from local.apple.adapter import mount
from local.apple.api import AppStoreConnect
from local.apple.faults import Fault, FaultKind
from local.apple.keys import ApiKey, ApiRole
from local.apple.model import WorldSettings
from local.apple.server import SimulatedApple
from local.apple.world import World

__all__ = [
    "AccessType",
    "ApiKey",
    "ApiRole",
    "AppStoreConnect",
    "Fault",
    "FaultKind",
    "SimulatedApple",
    "World",
    "WorldSettings",
    "mount",
]
