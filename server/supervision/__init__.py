"""Supervises processes, and replaces them without a gap; imports nothing that they need."""
