"""The same two calls as one usually writes them, on three frameworks: accept (one insert a request) and read by id.

All of them check the same API key and the same fields, store the same kind of document under the same indexes, and
answer when the database acknowledged.
"""
