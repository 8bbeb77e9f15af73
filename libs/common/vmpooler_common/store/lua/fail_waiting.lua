-- needs requests
-- fail_waiting: the provider says that the pool can never work as it is: fail the requests that wait for it.
-- ARGV pool, reason, most requests
-- Returns {number of failed requests, number of wants that still wait}.

local pool, failed, now = ARGV[1], 0, now_ms()
while failed < tonumber(ARGV[3]) do
  local want = head(pool)
  if not want then break end
  redis.call('HSET', K.request .. want.request, 'error', ARGV[2])
  close(want.request, 'failed', now, ARGV[2])
  failed = failed + 1
end
return { failed, redis.call('ZCARD', K.backlog .. pool) }
