"""Notifications on their way out: what is still owed to the cloud webhook, and the posting of it.

Process: sandbox.
"""
