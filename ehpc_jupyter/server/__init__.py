"""The Jupyter server extension: the only asynchronous code."""
