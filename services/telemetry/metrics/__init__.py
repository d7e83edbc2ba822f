"""Prometheus metrics of all processes together.

Process: all of them. Import from the modules.
"""
