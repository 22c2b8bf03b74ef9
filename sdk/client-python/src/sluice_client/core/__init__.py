"""What the client decides, without a clock or a socket: what happened comes in, the next step comes out.

All times are seconds, and random numbers lie in 0..1.
"""
