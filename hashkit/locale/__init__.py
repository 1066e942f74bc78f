"""The languages hashkit speaks (``language``), and their catalogues beside it."""
