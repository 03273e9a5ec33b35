"""The console's API over a lake of many apps: what fills it, and what asks it."""
