"""Jobs: the store, the monitor and the service."""
