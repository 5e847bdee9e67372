"""How large a request may be, which the server and the gateway both enforce."""

MAX_REQUEST_BYTES = 64 * 1024
"""Bytes of a request's message, compressed or not, and of the content of one by HTTP.

65,535 at least: Envoy's windows of HTTP/2 cannot be smaller.
"""
