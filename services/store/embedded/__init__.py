"""What only the embedded database needs.

Process: worker, whatsapp.
"""
