"""The panels in the order in which the page shows them, and those that a run's capabilities allow."""

from __future__ import annotations

from untaught.explorer.explored import Explored
from untaught.explorer.panel import Panel
from untaught.explorer.views import chain_panel, clip_panel, draws_panel, example_panel, latent_panel, layer_panel

PANELS = tuple(
    module.PANEL for module in (latent_panel, chain_panel, clip_panel, draws_panel, example_panel, layer_panel)
)


def panels_of(explored: Explored) -> list[Panel]:
    """The panels that apply."""
    return [panel for panel in PANELS if panel.applies(explored)]
