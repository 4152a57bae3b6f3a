"""The nouns. No I/O."""
