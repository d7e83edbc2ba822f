"""The HTTP side of a worker: protocol, fast path, connection limits, drain.

Process: worker. Import from the modules.
"""
