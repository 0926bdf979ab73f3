"""Pictures that a person can read: contact sheets, films, plots, and what each capability can show of itself."""
