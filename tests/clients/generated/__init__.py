"""Programs that use clients made of the OpenAPI document; each prints what it got as one JSON object."""
