"""Plans: runs that nobody made, as a compact document of what they would do, and as a `Trace`."""
