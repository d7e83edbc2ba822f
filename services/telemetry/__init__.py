"""What processes report about themselves: the scoreboard in shared memory, heartbeats, metrics. Needs no Sanic.

Process: all of them. Import from the modules.
"""
