"""Flows: graphs of conditions and actions, validated and simulated; nothing is sent or stored here."""
