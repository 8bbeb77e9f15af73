-- needs requests
-- fail_waiting: the provider says that the pool can never work as it is: fail the requests that wait for it.
-- ARGV operation, pool, reason, most requests
-- Returns {number of failed requests, number of wants that still wait}.

local operation, pool, failed, now = ARGV[1], ARGV[2], 0, now_ms()
local reply = remembered(operation)
if reply then return reply end
while failed < tonumber(ARGV[4]) do
  local want = head(pool)
  if not want then break end
  redis.call('HSET', K.request .. want.request, 'error', ARGV[3])
  close(want.request, 'failed', now, ARGV[3])
  failed = failed + 1
end
reply = { failed, redis.call('ZCARD', K.backlog .. pool) }
return failed > 0 and remember(operation, reply) or reply
