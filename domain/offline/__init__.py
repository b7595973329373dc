"""What a register needs to work without the tax service: control numbers, legal limits, time used."""
