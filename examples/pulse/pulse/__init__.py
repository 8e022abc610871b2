"""Detector pulses: their physics, what can be known from them at best, and networks that read time and energy."""
