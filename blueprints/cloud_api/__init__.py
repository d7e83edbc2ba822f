"""The drop-in for Meta's Cloud API.

Process: worker. Import from the modules.
"""
