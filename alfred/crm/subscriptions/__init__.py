"""Subscriptions: URLs that are sent what happens, signed, and again until they have taken it."""
