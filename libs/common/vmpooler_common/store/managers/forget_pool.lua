-- forget_pool: drop what is kept of a pool that has left the configuration and has no VM any more.
-- ARGS pool
--
-- Returns 1 when it is forgotten, 0 when it still has VMs, or DNS records of some.

for _, state in ipairs({ 'pending', 'ready', 'suspect', 'stale', 'running', 'completed', 'destroying',
  'dns_due' }) do
  if redis.call('EXISTS', K[state] .. ARG.pool) == 1 then return 0 end
end
redis.call('HDEL', K.pools, ARG.pool)
redis.call('HDEL', K.broken, ARG.pool)
redis.call('HDEL', K.lastboot, ARG.pool)
redis.call('HDEL', K.backing_off, ARG.pool)
redis.call('HDEL', K.problems, ARG.pool)
redis.call('HDEL', K.template_ready, ARG.pool)
redis.call('HDEL', K.places, ARG.pool)
redis.call('HDEL', K.leases, ARG.pool)
redis.call('HDEL', K.absent, ARG.pool)
return 1
