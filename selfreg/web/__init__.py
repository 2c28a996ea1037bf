"""What is read from an HTTP request, and which redirects are safe."""
