"""From the section `redis` to the store's options, for both services."""

from urllib.parse import quote

from vmpooler_common.config import Settings
from vmpooler_common.config.sections.redis import RedisSection
from vmpooler_common.store.core.connection import RedisOptions
from vmpooler_common.store.store import StoreOptions


def store_options(settings: Settings) -> StoreOptions:
    """Give the options of the store that the settings describe."""
    redis = settings.redis
    connection = RedisOptions(
        url=_url(redis),
        size=redis.connection_pool_size,
        connect_timeout=redis.connect_timeout.total_seconds(),
        timeout=redis.timeout.total_seconds(),
        queue_timeout=redis.connection_pool_timeout.total_seconds(),
    )
    return StoreOptions(
        redis=connection,
        prefix=redis.prefix,
        installation=settings.installation,
        data_ttl=redis.data_ttl,
        wait_replicas=redis.wait_replicas,
        wait_timeout=redis.wait_timeout,
    )


def _url(redis: RedisSection) -> str:
    if redis.url is not None:
        return redis.url.get_secret_value()
    user = quote(redis.username or "", safe="")
    password = quote(redis.password.get_secret_value(), safe="") if redis.password else ""
    credentials = f"{user}:{password}@" if user or password else ""
    host = f"[{redis.server}]" if ":" in redis.server else redis.server
    authorities = (
        f"?ssl_ca_certs={quote(redis.tls_ca_file, safe='')}" if redis.tls and redis.tls_ca_file else ""
    )
    return f"{'rediss' if redis.tls else 'redis'}://{credentials}{host}:{redis.port}/0{authorities}"
