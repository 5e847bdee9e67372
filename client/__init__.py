"""Whoever asks a running service what the state of a call is, by gRPC or by REST."""
