"""A Tolman-Eichenbaum Machine trained as a variational autoencoder with a learned pseudometric."""
