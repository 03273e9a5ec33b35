"""Slack: one message through an incoming webhook."""
