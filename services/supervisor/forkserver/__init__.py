"""The fork server: imports the application once, so that a new process costs only a fork.

Process: main, fork server.

The modules in the order in which they run:

1. `early_start` (main): `server.py` imports it first. It starts the fork server, which then imports the application
   while main does the same.
2. `before_import` (fork server): ignores stop signals and ties its life to main's.
3. the application, `server` (fork server).
4. `after_import` (fork server): freezes the garbage collector, so that children share memory.
5. `processes.run_child` (each child, after its fork): takes main's environment, then runs its target.

`processes` configures steps 2 to 4 as multiprocessing's preload list.
"""
