"""How the bundled starter model is made: from photos and captions to an open_clip package."""
