"""Makes the bundled starter model: from photos and captions to an open_clip package."""
