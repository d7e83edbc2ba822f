"""Meta's shapes: error codes, ids, statuses and notifications. Pure: no socket, no disk, no state.

Process: sandbox.
"""
