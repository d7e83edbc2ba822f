"""Main: starts every process, respawns the dead, restarts in turn, and stops all of them in order.

Process: main; `child_process` and `launch` also run in the processes that main starts.

Import from the modules: a managed process must not load the supervisor to use `child_process`.
"""
