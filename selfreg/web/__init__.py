"""What is read off an HTTP request, and where a response may redirect to."""
