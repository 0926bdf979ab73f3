"""What costs little, and so stands beside every measure.

names                what each of them is called
principal            principal component analysis
logistic_principal   the same for probabilities
latent_semantic      the same for bags of words
planes               codes that planes give
predictors           predictors of the next frame that learn little or nothing
"""
