"""The cluster: what starts, watches, replaces, drains and explains our processes.

Process: all of them. Import from the modules: a managed process must not load the supervisor to use the guard.

main: `seams`, `supervisor`, `startup`. worker: `drain`, `deadlines`, `heartbeat`, `metrics`.
Every process: `guard`, `board`. `database` is the embedded MongoDB's own process.
"""
