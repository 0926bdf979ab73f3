"""How improbable a model finds examples.

improbable   how improbable a model finds each example
moments      examples of a source ranked by that; of video, moments that are apart
"""
