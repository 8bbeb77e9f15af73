"""Where metrics go: Prometheus, statsd, Graphite, or nowhere."""
