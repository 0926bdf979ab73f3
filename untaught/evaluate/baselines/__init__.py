"""Cheap methods with which every measure compares a model.

names                names of the baselines
logistic_principal   the same for probabilities
dictionary           sparse codes of a dictionary that scikit-learn learns
latent_semantic      the same for bags of words
planes               linear and logistic codes
predictors           predictors of the next frame that learn little or nothing
outliers             what finds unusual examples from the pixels alone
"""
