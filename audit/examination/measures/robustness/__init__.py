"""What happens to decisions where inputs change a little."""
