"""Programs that use one client each, as a user of it would: orders on stdin, one JSON line a step on stdout."""
