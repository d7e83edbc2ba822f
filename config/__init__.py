"""The lowest layer: settings, capacity plan, limits, errors, ids, locales, logs. It imports nothing of ours.

Process: all of them.
"""
