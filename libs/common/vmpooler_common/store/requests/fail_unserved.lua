-- needs requests
-- fail_unserved: fail the requests that have waited too long for a pool that no manager knows.
-- ARGS operation, pool, reason, most
--
-- Returns the number of failed requests.

local operation, pool, failed, now = ARG.operation, ARG.pool, 0, now_ms()
local reply = remembered(operation)
if reply then return reply end
while failed < tonumber(ARG.most) do
  local request = unserved(pool, now)
  if not request then break end
  redis.call('HSET', K.request .. request, 'error', string.sub(ARG.reason, 1, LONGEST_REASON))
  close(request, 'failed', now, ARG.reason)
  failed = failed + 1
end
return failed > 0 and remember(operation, failed) or failed
