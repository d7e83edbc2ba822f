"""An emulator of Meta's Graph API for WhatsApp, with phones that can be scripted: nobody needs a phone to build.

Run it alone with `python -m services.sandbox`, or let Panal's supervisor run `process.run_sandbox`.

Process: sandbox.
"""
