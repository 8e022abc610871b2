"""Shared by all tests; its presence puts tests/ on the path, so that any of them can import `exact_models`."""
