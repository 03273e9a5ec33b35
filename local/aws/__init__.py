"""The embedded AWS: ministack with the few patches this project needs, one module per patched service."""
