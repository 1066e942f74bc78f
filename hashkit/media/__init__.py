"""The only rooms that touch untrusted bytes: what is read here may come from the person who
threatens the user. Nothing of a file is believed before it is checked, and nothing is written."""
