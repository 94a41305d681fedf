"""Attention calls: finding them, and what they are."""

from genscope.collect.attention.capture import Capture

__all__ = ["Capture"]
