"""What a member sees and does in the program."""
