"""Settings and options that had another name: the old one is refused with the new one, never read."""

RENAMED = {
    "AUTH_INTROSPECTION_CACHE_MS": "AUTH_INTROSPECTION_CACHE_TTL_MS",
    "AUTH_INTROSPECTION_MAX_REQUESTS": "AUTH_INTROSPECTION_MAX_CONCURRENT_REQUESTS",
    "INSIDE": "EMBEDDED",
    "INSIDE_KEPT": "EMBEDDED_SUPERVISED",
    "INSIDE_MAX_MB": "MAX_RSS_MB",
    "INSIDE_STUCK_MS": "WATCHDOG_TIMEOUT_MS",
    "INSIDE_WAITS": "EMBEDDED_WAIT_READY",
    "STREAM_BUDGET_MS": "STREAM_TIMEOUT_MS",
    "STREAM_MAX_QUESTIONS": "STREAM_MAX_CONCURRENT_REQUESTS",
    "STREAM_REUSE_MS": "STREAM_CACHE_TTL_MS",
}
"""The new names of settings by the old ones."""

RENAMED_OPTIONS = {"--inside-envoy": "--embedded"}
"""The new names of command-line options by the old ones."""
