"""The to-do API."""
