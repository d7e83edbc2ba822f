"""Commands for operators that look at a running installation from outside. Nothing of the application imports them."""
