"""Contacts as CSV, in both directions.

Process: worker.
"""
