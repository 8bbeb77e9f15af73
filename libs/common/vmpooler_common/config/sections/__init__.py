"""The settings of each section: type, default, meaning. One module per part of the document."""
