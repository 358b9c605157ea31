"""What calls cost, side by side with what a user would take instead. Not a part of the package."""
