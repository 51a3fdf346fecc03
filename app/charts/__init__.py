"""Charts as SVG, drawn from what the API answers: pure, the same input gives the same bytes."""
