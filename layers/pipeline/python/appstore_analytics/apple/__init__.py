"""App Store Connect: API keys and tokens, the Analytics Reports API, segment downloads."""
