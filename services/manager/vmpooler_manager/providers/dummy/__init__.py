"""A small cloud of its own, to try vmpooler out and to test it: also the example of a driver.

Its settings are read by services that lack its library: nothing is imported here.
"""
