"""What a visitor's request does. The pages and the JSON API share these functions."""
