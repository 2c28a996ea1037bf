"""What is measured. `python -m benchmarks` runs everything, `python -m benchmarks admin` one part."""
