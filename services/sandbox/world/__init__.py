"""What the sandbox knows and keeps: the journal on disk, phones, messages, media, templates, rules.

Process: sandbox.
"""
