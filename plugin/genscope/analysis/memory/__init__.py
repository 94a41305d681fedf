"""Memory: score matrices as the paper has them and as they are, and what was allocated."""
