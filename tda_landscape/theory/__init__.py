"""What theorems say about a network and its data, and the paths that their proofs promise."""
