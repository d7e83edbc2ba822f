"""What the sandbox knows and keeps: the storage on disk, phones, messages, media, templates, rules.

Process: sandbox.
"""
