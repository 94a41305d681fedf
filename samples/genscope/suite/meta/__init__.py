"""Runs of models without weights or memory: what `genscope plan` records."""
