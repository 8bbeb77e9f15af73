"""The plug-in `rfc2136`: signed dynamic updates with dnspython, see docs/dns.md.

`key` reads the TSIG key, `exchange` asks the server and classifies what goes wrong, `plugin` is the contract.
"""
