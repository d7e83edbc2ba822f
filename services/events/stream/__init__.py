"""Live streams of one worker: the end of the log as it grows.

Process: worker.
"""
