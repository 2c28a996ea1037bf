// Enhancements of a step; the pages work without.
