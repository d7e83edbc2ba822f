"""The Graph paths: one file a resource, each a handler that takes a call and gives an answer.

Process: sandbox.
"""
