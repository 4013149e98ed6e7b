"""Compiled code that sees raw arrays only."""
