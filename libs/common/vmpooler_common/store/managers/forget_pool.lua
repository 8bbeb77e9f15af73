-- forget_pool: drop what is kept of a pool that has left the configuration and has no VM any more.
-- ARGV pool
-- Returns 1 when it is forgotten, 0 when it still has VMs.

for _, state in ipairs({ 'pending', 'ready', 'suspect', 'stale', 'running', 'completed', 'destroying' }) do
  if redis.call('EXISTS', K[state] .. ARGV[1]) == 1 then return 0 end
end
redis.call('HDEL', K.pools, ARGV[1])
redis.call('HDEL', K.broken, ARGV[1])
redis.call('HDEL', K.lastboot, ARGV[1])
redis.call('HDEL', K.backing_off, ARGV[1])
redis.call('HDEL', K.template_ready, ARGV[1])
redis.call('HDEL', K.leases, ARGV[1])
return 1
