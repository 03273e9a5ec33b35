"""The routes of console_act: everything that changes something, and data for admins only."""

from itertools import chain

from appstore_console.routes import own, people, runs

ACTING = tuple(chain(runs.actions, own.actions, people.endpoints))
