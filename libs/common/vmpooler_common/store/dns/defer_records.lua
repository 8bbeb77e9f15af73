-- defer_records: the DNS records of a VM could not be changed; try again later.
-- ARGS pool, vm, delay
--
-- Returns 1.

redis.call('ZADD', K.dns_due .. ARG.pool, 'XX', int(now_ms() + ARG.delay), ARG.vm)
return 1
