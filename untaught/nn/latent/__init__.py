"""Parts of models with continuous latent variables: densities of latents and outputs, and the networks between them."""
