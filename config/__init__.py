"""The floor of the house: settings, capacity, limits, words, logs. It imports nothing of ours.

Process: all of them.
"""
