"""Everything that works in the background: submission, projections, alarms, housekeeping."""
