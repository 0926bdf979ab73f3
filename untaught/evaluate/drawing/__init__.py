"""Pictures for people: contact sheets, films, plots, and pictures of each of a model's capabilities."""
