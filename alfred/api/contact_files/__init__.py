"""Contacts as a CSV file: the endpoints, the rows of a file, their cells, and CSV itself."""

from alfred.api.contact_files.endpoints import routes

__all__ = ["routes"]
