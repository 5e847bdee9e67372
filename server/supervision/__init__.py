"""Keeps processes running, and replaces them without a gap; imports nothing that they need."""
