"""What operators run and look at: the server, the doctor, commands, health."""
