"""All routes, and which function has which: reading and acting are two, with permissions of their own."""

from itertools import chain

from appstore_console.routes import numbers, own, people, runs, status

READING = tuple(chain(status.endpoints, numbers.endpoints, runs.endpoints, own.endpoints))
"""console_read: questions that need neither Cognito nor the state machine's right to start."""

ACTING = tuple(chain(runs.actions, own.actions, people.endpoints))
"""console_act: whatever changes something, and what only admins may know."""

EVERY = READING + ACTING
