"""The control API under `/_sandbox`: what a test does to the world, and sees of it.

Process: sandbox.
"""
