"""What a cluster of any kind can do, and the kinds."""
