"""A tax service to test against and to try the product with.

It imports nothing of ``domain``: a judge that shared our code would share our mistakes.
"""
