"""Plans: times for what nobody ran, and what follows from them."""
