"""Files: tables of texts and numbers, and models."""
