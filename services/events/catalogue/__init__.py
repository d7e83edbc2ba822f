"""Every type of event, described once for documentation, filters and tests.

Process: worker, whatsapp.
"""
