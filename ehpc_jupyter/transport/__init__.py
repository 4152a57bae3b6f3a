"""All I/O towards a cluster."""
