"""What the larger commands do: imported when they are run, so that their help stays light."""
