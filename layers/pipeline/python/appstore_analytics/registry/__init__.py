"""The registry: requests, instances, dirty Dates, calls and runs, in one DynamoDB table.

Its keys are in registry/keys.py.
"""

from appstore_analytics.registry.registry import Registry

__all__ = ["Registry"]
