"""The Cloud API message object: what a client may send, kind by kind.

Process: worker, whatsapp.
"""
