"""Generative models that build anywhere: real architectures, random weights, no download."""
