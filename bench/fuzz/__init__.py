"""Input that nobody thought of: for the API, and for whatever reads text or bytes."""
