-- mark_broken: tell everyone that a pool can't work, or that it works again.
-- ARGS pool, reason
--
-- `reason` says why it can't work, '' that it works.
-- Returns 'ok'.

if ARG.reason == '' then
  redis.call('HDEL', K.broken, ARG.pool)
else
  -- Checkouts that wait for it are answered.
  if redis.call('HSET', K.broken, ARG.pool, ARG.reason) == 1 then event('pool.broken', ARG.pool, '') end
end
return 'ok'
