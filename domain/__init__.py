"""What is true in law and in money: no input or output, no clock, no network."""
