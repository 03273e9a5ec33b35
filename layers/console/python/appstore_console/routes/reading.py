"""The routes of console_read: they need neither Cognito nor the right to start anything."""

from itertools import chain

from appstore_console.routes import numbers, own, runs, status

READING = tuple(chain(status.endpoints, numbers.endpoints, runs.endpoints, own.endpoints))
