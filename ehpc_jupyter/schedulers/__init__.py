"""Batch systems: specification to text, text to objects. Pure."""
