"""The routes of console_act: whatever changes something, and what only admins may know."""

from itertools import chain

from appstore_console.routes import own, people, runs

ACTING = tuple(chain(runs.actions, own.actions, people.endpoints))
