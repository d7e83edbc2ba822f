"""What Meta checks in a message before it takes it. Pure: a JSON object in, a refusal out.

Process: sandbox.
"""
