"""Long trials of what breaks: processes, connections, disks and clocks. What was acknowledged has to be there, once."""
