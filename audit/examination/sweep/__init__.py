"""One pass over all rows: scored, decided, counted, sampled; piece by piece, anywhere."""
