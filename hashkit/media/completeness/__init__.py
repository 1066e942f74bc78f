"""Whether a part of a picture file is missing that its decoder does not report.

A file that was cut, an interrupted download into a file of full size, a copy from a failing card:
what is missing is a gap, or zeros. One module for each family of formats.
"""
