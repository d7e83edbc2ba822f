"""The fork server: imports the application once, so that a new process costs a fork.

Process: main, fork server.
"""
