"""What IDX requests do: read the answer to a step, change the transaction, decide which step follows."""
